"""The command line: the only room that reads argv, prints, or exits.

One file a command, loaded when its command is called; what several commands take is declared once, in `options`.
"""
