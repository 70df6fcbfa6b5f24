import type { Building, Right, Session } from '../api/http';
import { address } from '../lib/router';

export const ROUTES = {
  buildings: '/admin',
  operator: '/admin/operator',
  integrations: '/admin/integrations',
  phones: '/admin/phones',
  changes: '/admin/changes',
  building: '/admin/buildings/:building',
  section: '/admin/buildings/:building/:section',
} as const;

/** The parts of a building's pages, in the order they are listed. */
export const SECTIONS = [
  'overview', 'who', 'people', 'units', 'import', 'bells', 'panels', 'doors', 'alarms', 'rules', 'cards', 'guests', 'controllers', 'keys', 'records', 'policy', 'roles', 'audit'
] as const;
export type Section = (typeof SECTIONS)[number];

/** What one must be allowed for the others; the rest is for everybody who sees the building. */
const RIGHTS: Partial<Record<Section, Right>> = {
  who: 'see_people',
  people: 'see_people',
  keys: 'see_people',
  import: 'change_people',
  bells: 'see_people',
  rules: 'see_people',
  cards: 'see_people',
  guests: 'change_people',
  roles: 'roles',
  audit: 'audit'
};

/** Whether a person has a right in a building; in all of them without one. */
export const may = (session: Session, right: Right, building?: string): boolean =>
  session.roles.some((role) => (!role.building || role.building === building) && role.rights.includes(right));

/** Where somebody lives there are no records of use, so nothing leads to them; the page itself says why. */
const listed = (section: Section, building: string, kind: Building['kind'] | undefined, session: Session) =>
  section !== 'records' || (kind === 'commercial' && (may(session, 'read_records', building) || may(session, 'change_building', building)));

/** The parts of a building that a person may see. `kind`: of the building, once it is known. */
export const sectionsOf = (session: Session, building: string, kind: Building['kind'] | undefined): Section[] =>
  SECTIONS.filter((section) => {
    const right = RIGHTS[section];
    return (!right || may(session, right, building)) && listed(section, building, kind, session);
  });

export function sectionOf(name: string | undefined): Section {
  return SECTIONS.find((section) => section === name) ?? 'overview';
}

export const sectionAddress = (building: string, section: Section) =>
  section === 'overview' ? address(ROUTES.building, { building }) : address(ROUTES.section, { building, section });
