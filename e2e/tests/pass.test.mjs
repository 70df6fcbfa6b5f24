// A guest at the panel: the pass on their phone before its camera, or the code on its keys.
// Runs alone: a pass to the second, and a camera.

import assert from 'node:assert/strict';
import { device, filmOf, launch, SIZES } from '../support/browser.mjs';
import { follow, makeGuest, tokenOf } from '../support/guests.mjs';
import { fits, look } from '../support/looks.mjs';
import { Panel } from '../support/panel.mjs';
import { VISITOR_HZ } from '../support/sound.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

/** What the panel's camera sees when the guest holds their phone before it: the phone's screen as it is. */
async function film(world, guest) {
  const phone = await follow(world, guest);
  await phone.setViewportSize({ width: 640, height: 480 });
  await phone.getByRole('button', { name: t('guest-large') }).click();
  await phone.getByRole('dialog').getByRole('img', { name: t('guest-qr') }).waitFor();
  return filmOf(await phone.screenshot({ type: 'jpeg', quality: 80 }), guest.id);
}

/** A panel whose camera sees this film; ended with the returned function. */
async function panelThatSees(world, bell, camera) {
  const browser = await launch(VISITOR_HZ, camera);
  const context = await device(browser, 'panel', { origin: world.demo.origin });
  const panel = new Panel(await context.newPage(), bell.panel);
  await panel.open();
  return { panel, close: () => browser.close() };
}

const show = (panel) => panel.page.getByRole('button', { name: t('panel-pass'), exact: true }).click();

/** Types digits on the screen, and asks. */
async function type(page, digits) {
  for (const digit of digits) await page.getByRole('button', { name: digit, exact: true }).click();
  await page.getByRole('button', { name: t('panel-pass-open'), exact: true }).click();
}

scenario('the pass on a phone opens at the panel’s camera, until its end and not a second longer', async (world) => {
  const bell = world.town.bell('individual');
  const app = await world.app(bell.residents[0]);
  const { origin } = world.demo;
  const ends_at = Date.now() + 25_000;
  const guest = await makeGuest(app.page, origin, { ends_at });
  const { panel, close } = await panelThatSees(world, bell, await film(world, guest));
  try {
    await show(panel);
    await panel.showsOpen();
    assert.ok(Date.now() < ends_at, 'the machine was too slow for this test');
    await panel.ready();

    // what the server says of it changes at the end, and not before
    let said;
    let asked;
    do {
      asked = Date.now();
      const answer = await app.page.request.post(`${origin}/api/v1/guest/look`, { headers: { origin }, data: { token: tokenOf(guest) } });
      said = (await answer.json()).state;
      if (Date.now() < ends_at) assert.equal(said, 'now');
      if (asked >= ends_at) assert.equal(said, 'over');
    } while (said === 'now');
    await show(panel);
    await panel.page.getByText(t('panel-pass-over')).or(panel.page.getByText(t('panel-pass-wrong-pass'))).first().waitFor();
    assert.equal(await panel.page.getByRole('heading', { name: t('panel-open') }).count(), 0);
    await look(panel.page, 'panel-pass-over');
  } finally {
    await close();
  }
});

scenario('the code opens at the panel; a wrong one does not, and who tries on has to wait', async (world) => {
  const bell = world.town.bell('individual');
  const app = await world.app(bell.residents[0]);
  const guest = await makeGuest(app.page, world.demo.origin);
  const panel = await world.panel(bell);
  const { page } = panel;
  await look(page, 'panel-with-passes');
  await show(panel);
  await page.getByRole('heading', { level: 1, name: t('panel-pass-title') }).waitFor();
  await look(page, 'panel-pass', { forced: true });
  await fits(page, 'panel-pass');
  const large = page.getByRole('button', { name: t('panel-large') });
  await large.click();
  await look(page, 'panel-pass-large');
  await fits(page, 'panel-pass-large');
  await page.setViewportSize({ width: 1280, height: 800 });
  await fits(page, 'panel-pass-landscape-large');
  await large.click();
  await look(page, 'panel-pass-landscape');
  await fits(page, 'panel-pass-landscape');
  await page.setViewportSize(SIZES.panel);

  // with a keyboard too: the digits of a keypad beside the screen
  await page.keyboard.type(guest.code);
  await page.keyboard.press('Enter');
  await panel.showsOpen();
  await look(page, 'panel-pass-open');
  await panel.ready();

  await show(panel);
  const wrong = [...guest.code].map((digit) => (Number(digit) + 1) % 10).join('');
  await type(page, wrong);
  await page.locator('main').getByText(t('panel-pass-wrong-code')).first().waitFor();
  await look(page, 'panel-pass-wrong');
  // again and again: each wait is longer than the one before, until one is long enough to look at
  const waits = page.locator('main').getByText(pattern('panel-pass-wait')).first();
  const seconds = async () => Number(/\d+/.exec((await waits.textContent()) ?? '')?.[0] ?? 0);
  for (let tries = 0; ; tries += 1) {
    assert.ok(tries < 16, 'nobody has to wait');
    await type(page, wrong);
    await waits.or(page.locator('main').getByText(t('panel-pass-wrong-code')).first()).first().waitFor();
    if (!(await waits.isVisible())) continue;
    if ((await seconds()) >= 6) break;
    await waits.waitFor({ state: 'detached', timeout: 60_000 });
  }
  // a right code shortens no wait, and opens after it
  const enter = page.getByRole('button', { name: t('panel-pass-open'), exact: true });
  assert.equal(await enter.isEnabled(), false);
  await look(page, 'panel-pass-wait');
  for (const _ of wrong) await page.keyboard.press('Backspace');
  await page.keyboard.type(guest.code);
  await waits.waitFor({ state: 'detached', timeout: 60_000 });
  await enter.click();
  await panel.showsOpen();
}, { fresh: true });

scenario('a panel without a camera takes the code, and goes back to the names by itself', async (world) => {
  const bell = world.town.bell('individual');
  const app = await world.app(bell.residents[0]);
  const guest = await makeGuest(app.page, world.demo.origin);
  const page = await world.page('panel');
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotFoundError'));
  });
  const panel = new Panel(page, bell.panel);
  await panel.open();
  await show(panel);
  await page.getByText(t('panel-pass-no-camera')).waitFor();
  await look(page, 'panel-pass-no-camera');
  await type(page, guest.code);
  await panel.showsOpen();
  await panel.ready();
  await show(panel);
  await page.getByRole('heading', { level: 1, name: t('panel-pass-title') }).waitFor();
  await page.getByText(t('panel-idle-warning')).first().waitFor({ timeout: 30_000 });
  await page.getByRole('heading', { level: 1, name: t('panel-title') }).waitFor({ timeout: 20_000 });
});
