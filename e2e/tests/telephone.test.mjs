// Whole calls from the panel's page to an ordinary telephone: what is heard at both ends, what its keys do, and the door.
// Runs alone: sound.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { device, launch } from '../support/browser.mjs';
import { House } from '../support/house.mjs';
import { look } from '../support/looks.mjs';
import { Panel } from '../support/panel.mjs';
import { freePort } from '../support/ports.mjs';
import { until } from '../support/site.mjs';
import { hears, hearsNothing, RESIDENT_HZ, VISITOR_HZ } from '../support/sound.mjs';
import { InfoPhone, recording, speakingTones, Telephone } from '../support/telephone.mjs';
import { t } from '../support/texts.mjs';

const NUMBER = '+4791500123';
/** What the telephone speaks: no browser does. */
const TELEPHONE_HZ = 930;
/** The operator's own recordings are tones here, so a test knows which phrase is heard. Hz. */
const PHRASES = { somebody: 440, keys: 760, opened: 1330, elsewhere: 1750, goodbye: 2150 };
/** Ola has no app. Kari has one, and the same telephone at home. */
const OLA = { label: 'Ola', unit: '101', kind: 'individual' };
const KARI = { label: 'Kari', unit: '102', kind: 'individual' };

let visitors;
let residents;
let folder;
let house;
let panel;
let kari;
let phone;

before(async () => {
  [visitors, residents] = await Promise.all([launch(VISITOR_HZ), launch(RESIDENT_HZ)]);
  folder = await mkdtemp(join(tmpdir(), 'klinke-recordings-'));
  mkdirSync(join(folder, 'en'));
  for (const [name, hertz] of Object.entries(PHRASES)) writeFileSync(join(folder, `en/${name}.wav`), recording(hertz));
  const first = (await freePort()) & ~1;
  house = await House.start(residents, {
    KLINKE_PHONES__LISTEN: '127.0.0.1',
    KLINKE_PHONES__TRUNK_HOSTS: '["127.0.0.1"]',
    KLINKE_PHONES__RECORDINGS: folder,
    KLINKE_PHONES__FIRST_PORT: String(first),
    KLINKE_PHONES__LAST_PORT: String(first + 9),
  });
  const { origin, entrance, door } = house;

  const page = await (await device(visitors, 'panel', { origin })).newPage();
  await page.goto(`${origin}/panel`);
  const shown = await page.getByText(/\d{4} \d{4}/).innerText();
  const hung = await house.sent('post', `${house.path}/panels`, { code: /\d{4} \d{4}/.exec(shown)[0], name: 'At the door', entrance: entrance.id, doors: [door.id] });
  panel = new Panel(page, { url: `${origin}/panel` });

  const people = {};
  for (const one of [OLA, KARI]) {
    const { person } = await house.moveIn(hung, one);
    await house.sent('put', `/people/${person.id}/phone-number`, { number: NUMBER });
    people[one.label] = person;
  }
  const policy = await house.sent('get', `${house.path}/policy`);
  await house.sent('put', `${house.path}/policy`, { version: policy.version, policy: { ...policy.policy, phones: 'both' } });
  const limits = await house.sent('get', '/phone-limits');
  await house.sent('put', '/phone-limits', { ...limits, limits: { ...limits.limits, number_hour: 60 } });
  kari = await house.app(residents, people.Kari);
});
afterEach(async () => {
  await panel.leave();
  await phone?.stop();
  phone = undefined;
});
after(async () => {
  await house?.stop();
  await Promise.all([visitors, residents].map((browser) => browser?.close()));
  await rm(folder, { recursive: true, force: true });
});

/** The only trunk leads to this telephone, and is there. `keys`: how keys come over it. */
async function reaches(telephone, keys = 'rfc4733') {
  phone = telephone;
  for (const { id } of (await house.sent('get', '/trunks')).items) await house.sent('delete', `/trunks/${id}`);
  const settings = { name: 'Nordtel', host: '127.0.0.1', port: phone.port, way: 'udp', caller: '+4721600000', registers: false, enabled: true, keys };
  await house.sent('post', '/trunks', { settings });
  await until('a trunk that is ready', async () => (await house.sent('get', '/trunks')).items[0].state === 'ready');
  return phone;
}

/** A visitor rings, and the panel says that a telephone rings. */
async function ring(bell) {
  house.releases.clear();
  await panel.backToNames();
  await panel.ring(bell);
  await panel.page.getByText(t('panel-calling-phone')).first().waitFor();
}

/** Sound both ways: each end hears the other's pitch from now on. */
async function talkBothWays() {
  await phone.hears(VISITOR_HZ, phone.listened);
  await hears(panel.page, TELEPHONE_HZ);
}

async function opensOnce() {
  await panel.showsOpen();
  await until('a release', () => house.releases.size > 0);
  await phone.hears?.(PHRASES.opened);
  assert.equal(house.releases.size, 1, 'releases of the lock');
}

test('5 opens the door once; both talk after it as before, and neither hears the other without a key', async () => {
  await reaches(await Telephone.start({ number: NUMBER, hertz: TELEPHONE_HZ }));
  await ring(OLA);
  await look(panel.page, 'panel-calling-phone');
  await phone.isCalled();
  const somebody = await phone.hears(PHRASES.somebody);
  const keys = await phone.hears(PHRASES.keys);
  assert.ok(somebody < keys, `who is there at ${somebody} s, the keys at ${keys} s`);
  await hearsNothing(panel.page);
  phone.neverHeard(VISITOR_HZ);
  assert.equal(house.releases.size, 0, 'it opens before a key was pressed');
  phone.press(5);
  await opensOnce();
  await talkBothWays();
  // a second press is none: who talks on may hold the telephone as they like
  phone.press(5);
  await talkBothWays();
  assert.equal(house.releases.size, 1);
  phone.hangUp();
  await panel.says('panel-over-resident_hung_up');
  assert.equal(house.releases.size, 1);
});

test('1 talks and opens nothing, and 8 opens later; the visitor hangs up, and so does the telephone after a last word', async () => {
  await reaches(await Telephone.start({ number: NUMBER, hertz: TELEPHONE_HZ }));
  await ring(OLA);
  await phone.hears(PHRASES.keys);
  phone.press(1);
  await panel.talks();
  await talkBothWays();
  assert.equal(house.releases.size, 0, '1 opened');
  phone.press(8);
  await opensOnce();
  await talkBothWays();
  await panel.leave();
  await phone.hears(PHRASES.goodbye);
  await phone.isFree();
});

test('a key opens once whichever way it comes: by SIP INFO, and as tones in the sound where the trunk is set to them', async () => {
  await reaches(await InfoPhone.start(8, 1_500));
  await ring(OLA);
  await opensOnce();
  await panel.leave();
  await phone.stop();

  const says = speakingTones(TELEPHONE_HZ, 5, 4);
  await reaches(await Telephone.start({ number: NUMBER, says }), 'tones');
  await ring(OLA);
  await phone.hears(PHRASES.keys);
  await opensOnce();
  await talkBothWays();
  await panel.leave();
  await phone.isFree();
  await phone.stop();

  // the same sound over a trunk that is not set to tones is sound
  await reaches(await Telephone.start({ number: NUMBER, says }));
  await ring(OLA);
  const keys = await phone.hears(PHRASES.keys);
  // told again after the tones
  await phone.hears(PHRASES.keys, Math.max(keys + 1, 4.5));
  await panel.isCalling();
  assert.equal(house.releases.size, 0, 'tones opened');
});

test('app and telephone ring together: the telephone answers, and the app stops', async () => {
  await reaches(await Telephone.start({ number: NUMBER, hertz: TELEPHONE_HZ }));
  await ring(KARI);
  await kari.rings();
  await phone.hears(PHRASES.keys);
  phone.press(1);
  await panel.talks();
  await kari.says('app-elsewhere-answered');
  await talkBothWays();
  assert.equal(house.releases.size, 0);
  phone.hangUp();
  await panel.says('panel-over-resident_hung_up');
  await kari.isHome();
});

test('a voicemail that picks up leaves the app ringing, and is hung up when the app answers', async () => {
  await reaches(await Telephone.start({ number: NUMBER, hertz: TELEPHONE_HZ }));
  await ring(KARI);
  const keys = await phone.hears(PHRASES.keys);
  // it is told again, for nobody
  await phone.hears(PHRASES.keys, keys + 1);
  await kari.rings();
  await panel.isCalling();
  await kari.answer();
  await panel.talks();
  await phone.hears(PHRASES.elsewhere);
  await phone.isFree();
  phone.neverHeard(VISITOR_HZ);
  await hears(panel.page, RESIDENT_HZ);
  await hears(kari.page, VISITOR_HZ);
});
