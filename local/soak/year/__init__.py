"""A year of operation in virtual time: six groups, their schedules, a rule, people, outages and wrong clocks.

Nothing jumps: each timer runs each of its minutes. Every week all promises are asked, at the end whether each schedule
was started at each of its times, and at some months how much of everything there is: nothing may grow for ever.
``python -m local.soak --year`` plays it, ``--months 1`` a part.
"""
