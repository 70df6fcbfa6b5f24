# Texts of Klinke in English. The server and the web pages share this file. Keys: panel-*, app-*, admin-*,
# error-* (stable codes of the server), door-*, common-*. Append in your own section.

## common
common-cancel = Cancel
common-close = Close
common-try-again = Try again
common-reference = Reference

## door
door-locked = Locked
door-sending = Sending …
door-open = Open
door-open-for = Open { $seconds } s
door-held-open = Held open
door-refused = Refused
door-offline = Offline
door-blocked = Blocked
door-locked-down = Locked down
door-refused-not-allowed = not allowed for you
door-refused-suspended = access is suspended
door-refused-blocked = the door is blocked
door-refused-no-controller = no door controller
door-refused-offline = no contact with the door
door-refused-expired = the door did not answer in time
door-refused-fault = the lock has a fault
door-refused-no-call = the call is over

## panel

## app

## admin

## error
