"""The published measures worked out a second time: plain Python over the extract files, from the written rules alone.

Only definitions that are data are shared with the models: the registry of measures, the contracts' names of columns, the
setting order, the account groups, the projects of measures and the variables. No line of code is.
"""
