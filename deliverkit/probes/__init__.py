"""The world to facts: all the questions, no opinion. Everything is asked through the one DNS port."""
