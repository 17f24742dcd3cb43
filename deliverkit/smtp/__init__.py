"""The SMTP wire: octets to replies, conversations as generators, and the only mail socket.

`reply` and `dialog` know no socket: they are fed octets and replies, and say what to send. `live`
drives them over TCP and TLS and keeps what happened as a `Session`.
"""
