// What makes pages quicker to use; every page works without it.
"use strict";

// On a narrow screen the menu begins closed.
document.addEventListener("DOMContentLoaded", () => {
  const menu = document.querySelector("details.menu");
  if (menu && matchMedia("(max-width: 60rem)").matches) menu.open = false;
  // Whoever sent a form with mistakes is led to them.
  document.getElementById("mistakes")?.focus();
});

// Of a part that was fetched anew, its short line is said to whoever cannot see it, where it has changed; nothing else.
const lines = () => [...document.querySelectorAll("[data-said]")].map((each) => each.textContent.trim().replace(/\s+/g, " "));
let before = [];
document.addEventListener("DOMContentLoaded", () => (before = lines()));
document.addEventListener("htmx:after:swap", () => {
  const now = lines();
  const news = now.filter((line) => line && !before.includes(line));
  before = now;
  if (news.length) document.getElementById("said").textContent = news.join(" ");
});

// A page that the browser kept is asked for again: whoever goes back after signing out sees none of it.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
