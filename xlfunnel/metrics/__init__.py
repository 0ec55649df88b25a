"""Pure functions over `xlfunnel.facts.Facts`: each says which frame it takes, in what unit it answers, when it cannot.

reserve   what stands in the stages at each month's end, what flowed in and out, the win rate
trend     the line through a monthly series and how far it can be trusted (line, kendall and control do its sums)
owners    one row a rep: reserve against mean and floor
flags     the rules that raise an alert, as a table

conversion  of those that entered a stage, how many advance: three answers, never mixed
duration    days in stage with the open ones counted, the T3 cycle, who is over age (survival does the sums of both)
shape       the funnel, and where it narrows more steeply than it used to
movement    how the reserve of one month's end became that of another, adding up
forecast    wins to come out of what is open and of what is new, drawn many times (sojourns, hazards, passage, inflow,
            simulation and periods do its sums); backtest, how past ones fared; gap_dates, when the T3 reserve breaks
evidence    how much so many cases may say, and which months are recent; levels: whom a row speaks of
"""
