# Tekstene til Klinke på bokmål. Tjeneren og nettsidene deler denne filen. Nøkler: panel-*, app-*, admin-*,
# error-* (tjenerens faste koder), door-*, common-*. Legg til i din egen del.

## common
common-cancel = Avbryt
common-close = Lukk
common-try-again = Prøv igjen
common-reference = Referanse

## door
door-locked = Låst
door-sending = Sender …
door-open = Åpen
door-open-for = Åpen { $seconds } s
door-held-open = Holdes åpen
door-refused = Avvist
door-offline = Frakoblet
door-blocked = Sperret
door-locked-down = Nedlåst
door-refused-not-allowed = du har ikke tilgang
door-refused-suspended = tilgangen er stanset
door-refused-blocked = døren er sperret
door-refused-no-controller = ingen dørsentral
door-refused-offline = ingen kontakt med døren
door-refused-expired = døren svarte ikke i tide
door-refused-fault = feil på låsen
door-refused-no-call = samtalen er over

## panel

## app

## admin

## error
