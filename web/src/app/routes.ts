export const ROUTES = { doors: '/app', doorbell: '/app/doorbell', household: '/app/household', me: '/app/me' } as const;
