// Seals and opens with the npm package age-encryption, standard input to standard output:
//
//   node peer.mjs generate-hybrid | generate-x25519
//   node peer.mjs recipient IDENTITY
//   node peer.mjs seal RECIPIENT... | seal-text RECIPIENT... | seal-passphrase PASSPHRASE
//   node peer.mjs open IDENTITY | open-text IDENTITY | open-passphrase PASSPHRASE
//   node peer.mjs seal-stream RECIPIENT | open-stream IDENTITY: with constant memory, for benchmarks
//   node peer.mjs judge IDENTITY|PASSPHRASE: a JSON list of files in base64 to a list of plaintexts in base64, or null
import { buffer } from "node:stream/consumers";
import { argv, stdin, stdout } from "node:process";
import { Readable, Writable } from "node:stream";
import { Decrypter, Encrypter, armor, generateHybridIdentity, generateX25519Identity, identityToRecipient } from "age-encryption";

const [, , verb, ...rest] = argv;
const input = async () => new Uint8Array(await buffer(stdin));

async function seal(file) {
  const encrypter = new Encrypter();
  for (const recipient of rest) encrypter.addRecipient(recipient);
  return encrypter.encrypt(file);
}

async function open(file) {
  const decrypter = new Decrypter();
  if (rest[0].startsWith("AGE-SECRET-KEY-")) decrypter.addIdentity(rest[0]);
  else decrypter.addPassphrase(rest[0]);
  return decrypter.decrypt(file);
}

const fromText = (text) => armor.decode(new TextDecoder().decode(text));

async function stream(process) {
  const sink = Writable.toWeb(stdout);
  await (await process(Readable.toWeb(stdin))).pipeTo(sink);
  return "";
}

async function judge(encoded) {
  const file = new Uint8Array(Buffer.from(encoded, "base64"));
  try {
    const isText = Buffer.from(file.slice(0, 10)).toString().startsWith("-----BEGIN");
    return Buffer.from(await open(isText ? fromText(file) : file)).toString("base64");
  } catch {
    return null;
  }
}

const verbs = {
  "generate-hybrid": generateHybridIdentity,
  "generate-x25519": generateX25519Identity,
  recipient: () => identityToRecipient(rest[0]),
  seal: async () => seal(await input()),
  "seal-text": async () => armor.encode(await seal(await input())),
  "seal-passphrase": async () => {
    const encrypter = new Encrypter();
    encrypter.setPassphrase(rest[0]);
    encrypter.setScryptWorkFactor(12);
    return encrypter.encrypt(await input());
  },
  open: async () => open(await input()),
  "open-text": async () => open(fromText(await input())),
  "open-passphrase": async () => open(await input()),
  "seal-stream": () => stream(seal),
  "open-stream": () => stream(open),
  judge: async () => JSON.stringify(await Promise.all(JSON.parse(Buffer.from(await input()).toString()).map(judge))),
};

stdout.write(await verbs[verb]());
