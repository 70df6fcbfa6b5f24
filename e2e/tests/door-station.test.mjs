// A door station that others wrote hangs at the entrance: what a resident sees and hears of it in the app, and the door.
// Runs alone: sound.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { launch } from '../support/browser.mjs';
import { House } from '../support/house.mjs';
import { look } from '../support/looks.mjs';
import { freePort } from '../support/ports.mjs';
import { until } from '../support/site.mjs';
import { hears, hearsNothing, RESIDENT_HZ, VISITOR_HZ } from '../support/sound.mjs';
import { Telephone } from '../support/telephone.mjs';
import { t } from '../support/texts.mjs';

const KARI = { label: 'Kari', unit: '101', kind: 'individual' };
const CODE = '4711';

let residents;
let house;
let kari;
let person;
let station;

before(async () => {
  residents = await launch(RESIDENT_HZ);
  const first = (await freePort()) & ~1;
  house = await House.start(residents, {
    KLINKE_STATIONS__LISTEN: `127.0.0.1:${await freePort()}`,
    // baresip 1.0 gives up when it is asked for SHA-256 too
    KLINKE_STATIONS__DIGESTS: 'md5',
    KLINKE_STATIONS__FIRST_PORT: String(first),
    KLINKE_STATIONS__LAST_PORT: String(first + 9),
  });
  const { entrance, door } = house;
  const made = await house.sent('post', `${house.path}/door-stations`, { name: 'At the door', entrance: entrance.id, doors: [door.id] });
  let bell;
  ({ person, bell } = await house.moveIn(made.panel, KARI));
  const { items: bells } = await house.sent('get', `${house.path}/bells`);
  const { version } = bells.find(({ id }) => id === bell.id);
  await house.sent('patch', `/bells/${bell.id}`, { version, dial_code: CODE });
  station = await Telephone.doorStation(made, VISITOR_HZ);
});
afterEach(async () => {
  await kari?.page.context().close();
});
after(async () => {
  await station?.stop();
  await house?.stop();
  await residents?.close();
});

/** Colours in the middle of the left, the middle and the right third of the picture. */
const thirds = (app) =>
  app.call.locator('video').first().evaluate((video) => {
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight).getContext('2d');
    canvas.drawImage(video, 0, 0);
    const at = (third) => [...canvas.getImageData((video.videoWidth * (2 * third + 1)) / 6, video.videoHeight / 2, 1, 1).data.slice(0, 3)];
    return { size: [video.videoWidth, video.videoHeight], colours: [at(0), at(1), at(2)] };
  });

/** The picture is what the camera films. */
async function seesBars(app) {
  await app.seesPicture();
  const { size, colours } = await thirds(app);
  assert.deepEqual(size, [352, 288]);
  const isBar = (colour, of) => colour.every((value, channel) => (channel === of ? value > 160 : value < 90));
  assert.ok(colours.every(isBar), JSON.stringify(colours));
}

test('who is rung sees the visitor, also after the app was loaded again; both talk, and the door opens once', async () => {
  kari = await house.app(residents, person);
  station.dial(CODE);
  await kari.rings();
  await seesBars(kari);
  await look(kari.page, 'app-door-station', { still: kari.call });
  await hearsNothing(kari.page);
  // a late one is shown the kept key frame: the camera sends the next by itself only after ten seconds
  await kari.reload();
  await seesBars(kari);
  await kari.answer();
  await kari.talks();
  await hears(kari.page, VISITOR_HZ);
  await station.hears(RESIDENT_HZ);
  assert.equal(house.releases.size, 0, 'it opens before anybody said so');
  await kari.openDoor();
  await until('a release', () => house.releases.size > 0);
  await seesBars(kari);
  station.hangUp();
  await kari.says('app-ended-visitor-left');
  assert.equal(house.releases.size, 1, 'releases of the lock');
});

/** Runs in a page before its own scripts: a browser that has no H.264, as some are built. */
function withoutH264() {
  const { addTransceiver } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.addTransceiver = function (...given) {
    const made = addTransceiver.apply(this, given);
    if (made.receiver.track.kind !== 'video') return made;
    made.setCodecPreferences(RTCRtpReceiver.getCapabilities('video').codecs.filter(({ mimeType }) => mimeType !== 'video/H264'));
    return made;
  };
}

test('a browser that can not show the picture says so, and the call goes on without it', async () => {
  kari = await house.app(residents, person, withoutH264);
  house.releases.clear();
  station.dial(CODE);
  await kari.rings();
  await kari.call.getByText(t('app-picture-unknown')).waitFor();
  await look(kari.page, 'app-picture-unknown', { forced: true, still: kari.call });
  await kari.answer();
  await hears(kari.page, VISITOR_HZ);
  await kari.call.getByText(t('app-picture-unknown')).waitFor();
  await kari.openDoor();
  await until('a release', () => house.releases.size > 0);
  await kari.hangUp();
  await station.isFree();
});
