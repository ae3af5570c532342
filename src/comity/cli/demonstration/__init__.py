"""The demonstration: one document between Tokyo and Seoul, on this machine, in under a minute.

``cast`` founds the two houses and their people, ``scenes`` plays, ``screen`` prints. Everything goes through the public
Python interface and two real node processes; nothing is staged.
"""
