import { address } from '../lib/router';

export const ROUTES = {
  buildings: '/admin',
  building: '/admin/buildings/:building',
  section: '/admin/buildings/:building/:section',
} as const;

/** The parts of a building's pages, in the order they are listed. */
export const SECTIONS = ['overview', 'people', 'units', 'bells', 'panels', 'doors', 'controllers'] as const;
export type Section = (typeof SECTIONS)[number];

export function sectionOf(name: string | undefined): Section {
  return SECTIONS.find((section) => section === name) ?? 'overview';
}

export const sectionAddress = (building: string, section: Section) =>
  section === 'overview' ? address(ROUTES.building, { building }) : address(ROUTES.section, { building, section });
