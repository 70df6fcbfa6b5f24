// `--lan`: the same over https on the network, with certificates of the installation's own making.
// Runs alone: sound.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { hears, RESIDENT_HZ, VISITOR_HZ } from '../support/sound.mjs';
import { t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();
const LAN = { demo: ['--lan'] };

scenario('panel and app work over https, picture and sound too', async (world) => {
  assert.match(world.demo.origin, /^https:/);
  const bell = world.town.bell('individual');
  const { panel, apps: [app] } = await world.household(bell);
  // what a camera, a microphone and a key that can not be taken away need
  for (const { page } of [panel, app]) assert.ok(await page.evaluate(() => window.isSecureContext));
  const [cookie] = await app.page.context().cookies();
  assert.equal(cookie.name, '__Host-klinke');
  assert.ok(cookie.secure && cookie.httpOnly);

  await panel.ring(bell);
  await app.rings();
  await app.seesPicture();
  await app.answer();
  await panel.talks();
  await hears(app.page, VISITOR_HZ);
  await hears(panel.page, RESIDENT_HZ);
  await app.openDoor();
  await panel.showsOpen();
}, LAN);

scenario('a device that does not trust it yet can get the certificate, and checks its fingerprint', async (world) => {
  const page = await world.page('phone');
  await page.goto(`${world.demo.origin}/trust`);
  await page.getByRole('heading', { level: 1, name: t('trust-title') }).waitFor();
  const shown = await page.locator('code').innerText();
  const answer = await page.request.get(new URL(await page.getByRole('link').getAttribute('href'), world.demo.origin).href);
  assert.equal(answer.headers()['content-type'], 'application/x-x509-ca-cert');
  const certificate = new X509Certificate(await answer.body());
  assert.equal(certificate.fingerprint256, shown);
  assert.ok(certificate.ca);
  // the pages come with a certificate that names it as its issuer
  const served = await page.goto(`${world.demo.origin}/app`);
  assert.equal((await served.securityDetails()).issuer, certificate.subject.match(/CN=(.*)/)[1]);
}, LAN);
