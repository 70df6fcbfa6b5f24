// A trunk between its form and the server.

import type { Trunk, TrunkSettings } from '../../api/http';

type Way = TrunkSettings['way'];
export type Encryption = NonNullable<TrunkSettings['encryption']>;

/** Where a SIP server listens when its letter names no port (RFC 3261 §19.1.2). */
export const USUAL_PORT: Record<Way, number> = { tls: 5061, tcp: 5060, udp: 5060 };

/** The form's values. */
export type TrunkValues = {
  name: string;
  host: string;
  way: Way;
  /** As it was typed; empty for the usual one. */
  port: string;
  domain: string;
  registers: 'yes' | 'no';
  account: string;
  caller: string;
  tones: boolean;
  encryption: Encryption;
  enabled: boolean;
};

/** What a form begins with; of a new trunk without settings. */
export function valuesOf(settings?: Trunk['settings']): TrunkValues {
  const way = settings?.way ?? 'tls';
  const usual = settings?.port === undefined || settings.port === USUAL_PORT[way];
  return {
    name: settings?.name ?? '',
    host: settings?.host ?? '',
    way,
    port: usual ? '' : String(settings.port),
    domain: settings?.domain ?? '',
    registers: settings?.registers === false ? 'no' : 'yes',
    account: settings?.account ?? '',
    caller: settings?.caller ?? '',
    tones: settings?.keys === 'tones',
    // a new one: as much as the other side can
    encryption: settings ? (settings.encryption ?? 'off') : 'offered',
    enabled: settings?.enabled ?? true
  };
}

/** A port that was typed, as the server judges it: 0, which none is, when it is no number up to 65535. */
function portOf(typed: string): number {
  const port = /^\d{1,5}$/.test(typed) ? Number(typed) : 0;
  return port <= 65_535 ? port : 0;
}

/** What is sent. What stands empty is left out. */
export function settingsOf({ name, host, way, port, domain, registers, account, caller, tones, encryption, enabled }: TrunkValues): TrunkSettings {
  const optional = { domain: domain.trim(), account: account.trim() };
  return {
    name,
    host,
    way,
    ...(port.trim() && { port: portOf(port.trim()) }),
    ...(optional.domain && { domain: optional.domain }),
    ...(optional.account && { account: optional.account }),
    registers: registers === 'yes',
    caller,
    keys: tones ? 'tones' : 'rfc4733',
    // its keys are worth what the way is worth: over the others the form does not offer it
    encryption: way === 'tls' ? encryption : 'off',
    enabled
  };
}
