"""Handing a message over as a mail server does: the message, the route, the queue, the bounce."""
