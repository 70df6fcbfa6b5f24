import { describe, expect, it } from 'vitest';
import { older, systemOf, tooOld } from './system';

const NEEDED = { ios: '16.4', android: '10' };
const IPHONE = (version: string) => `Mozilla/5.0 (iPhone; CPU iPhone OS ${version} like Mac OS X) AppleWebKit/605.1.15 Version/16.3 Mobile/15E148 Safari/604.1`;
const ANDROID = (version: string) => `Mozilla/5.0 (Linux; Android ${version}; K) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36`;

describe('the system of a device', () => {
  it('is read from what the browser says', async () => {
    expect(await systemOf(IPHONE('16_3_1'))).toEqual({ name: 'iOS', version: '16.3.1' });
    expect(await systemOf(ANDROID('8.1.0'))).toEqual({ name: 'Android', version: '8.1.0' });
    expect(await systemOf('Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0')).toBeUndefined();
  });

  it('is asked for where the name hides it', async () => {
    const hints = (platformVersion: string) => ({ getHighEntropyValues: () => Promise.resolve({ platformVersion }) });
    expect(await systemOf(ANDROID('10'), hints('14.0.0'))).toEqual({ name: 'Android', version: '14.0.0' });
    expect(await systemOf(ANDROID('10'), hints('9'))).toEqual({ name: 'Android', version: '9' });
    expect(await systemOf(ANDROID('10'), { getHighEntropyValues: () => Promise.reject(new Error('no')) })).toEqual({ name: 'Android', version: '10' });
  });

  it('is too old only below the least', () => {
    expect(older('9', '10')).toBe(true);
    expect(older('16.4', '16.4.0')).toBe(false);
    expect(older('16.10', '16.4')).toBe(false);
    expect(tooOld({ name: 'iOS', version: '16.3.1' }, NEEDED)).toEqual({ found: 'iOS 16.3.1', needed: 'iOS 16.4' });
    expect(tooOld({ name: 'iOS', version: '17.0' }, NEEDED)).toBeUndefined();
    expect(tooOld({ name: 'Android', version: '9' }, NEEDED)?.needed).toBe('Android 10');
    expect(tooOld(undefined, NEEDED)).toBeUndefined();
  });
});
