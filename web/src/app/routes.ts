export const ROUTES = { doors: '/app', me: '/app/me' } as const;
