"""What one call costs the controller: an Asterisk played on sockets drives whole calls, and a bare loop is the measure.

Every figure is taken in the same run on the controller and on two servers that do the least possible, so that the
ratios hold on any machine.
"""
