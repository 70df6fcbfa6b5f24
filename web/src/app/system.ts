// Which system this device runs, and whether it is old enough that the app may not ring.

import type { AppRequirements } from '../api/http';

export interface System {
  name: 'iOS' | 'Android';
  version: string;
}

/** Newer browsers hide the version of Android in their name ("Android 10; K") and tell it when they are asked. */
interface Hints {
  platform?: string;
  getHighEntropyValues?: (wanted: string[]) => Promise<{ platformVersion?: string }>;
}

export async function systemOf(agent: string, hints?: Hints): Promise<System | undefined> {
  const ios = /(?:iPhone|iPad|iPod).*? OS (\d+(?:_\d+){0,2})/.exec(agent)?.[1];
  if (ios) return { name: 'iOS', version: ios.replaceAll('_', '.') };
  const android = /Android (\d+(?:\.\d+){0,2})/.exec(agent)?.[1];
  if (!android) return undefined;
  const told = await hints?.getHighEntropyValues?.(['platformVersion']).catch(() => undefined);
  return { name: 'Android', version: told?.platformVersion?.match(/^\d+(\.\d+){0,2}/)?.[0] ?? android };
}

/** Whether a version is older than another: 9 before 10, 16.4 the same as 16.4.0. */
export function older(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number)) as [number[], number[]];
  for (let at = 0; at < 3; at += 1) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** What is too old here, and what would do; nothing when it is fine or unknown. */
export function tooOld(system: System | undefined, needed: AppRequirements): { found: string; needed: string } | undefined {
  if (!system) return undefined;
  const least = system.name === 'iOS' ? needed.ios : needed.android;
  return older(system.version, least) ? { found: `${system.name} ${system.version}`, needed: `${system.name} ${least}` } : undefined;
}
