# Klinkes texter på svenska. Servern och webbsidorna delar den här filen. Nycklar: panel-*, app-*, admin-*,
# error-* (serverns fasta koder), door-*, common-*. Lägg till i din egen del.

## common
common-cancel = Avbryt
common-close = Stäng
common-try-again = Försök igen
common-reference = Referens

## door
door-locked = Låst
door-sending = Skickar …
door-open = Öppen
door-open-for = Öppen { $seconds } s
door-held-open = Hålls öppen
door-refused = Nekad
door-offline = Frånkopplad
door-blocked = Spärrad
door-locked-down = Nödlåst
door-refused-not-allowed = du har inte behörighet
door-refused-suspended = behörigheten är avstängd
door-refused-blocked = dörren är spärrad
door-refused-no-controller = ingen dörrcentral
door-refused-offline = ingen kontakt med dörren
door-refused-expired = dörren svarade inte i tid
door-refused-fault = fel på låset
door-refused-no-call = samtalet är slut

## panel

## app

## admin

## error
