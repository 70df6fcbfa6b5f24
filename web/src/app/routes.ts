export const ROUTES = {
  doors: '/app',
  guests: '/app/guests',
  newGuest: '/app/guests/new',
  guest: '/app/guests/:guest',
  changeGuest: '/app/guests/:guest/change',
  doorbell: '/app/doorbell',
  household: '/app/household',
  me: '/app/me',
} as const;
