"""Delivery to Alertmanagers, by their API v2.

payload     an alert as Alertmanager takes it
entry       one alert of an outbox
outbox      what one peer is still to be told, pure
kept        an outbox as plain values, for the store
api         the two requests that there are
errors      what goes wrong with them, as sentences
peer        one peer: its outbox, its connection, how it fares
dispatcher  all peers
trial       one alert sent to see it arrive
"""
