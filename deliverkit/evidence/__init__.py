"""What a run saw: each question, fetch and session with its outcome, kept once and read back.

From the evidence alone follow the facts and the findings again: a probe must come to the same whether it
asks the world or a saved run.
"""
