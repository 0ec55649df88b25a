"""Pure functions over `xlfunnel.facts.Facts`: each says which frame it takes, in what unit it answers, when it cannot.

reserve   what stands in the stages at each month's end, what flowed in and out, the win rate
trend     the line through a monthly series and how far it can be trusted (line, kendall and control do its sums)
owners    one row a rep: reserve against mean and floor
flags     the rules that raise an alert, as a table
"""
