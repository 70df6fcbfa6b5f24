// Guests: a resident lets somebody in with three taps, and the guest opens without an account.
// Runs alone: a guest of four seconds.

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { api, follow, HOUR, makeGuest, neverNow, tokenOf } from '../support/guests.mjs';
import { dismissToasts, fits, look } from '../support/looks.mjs';
import { mail } from '../support/mail.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

const doorButton = (page) => page.locator('li button').first();
const says = (page, key) => page.getByText(t(key), { exact: true }).first().waitFor();

/** The app of a resident whose phone has a share sheet, which notes what was shared. */
async function host(world, bell = world.town.bell('individual')) {
  const app = await world.signedOut(bell.residents[0]);
  await app.page.addInitScript(() => {
    navigator.share = async (data) => {
      window.shared = data;
    };
  });
  await app.signIn(world.demo.told.app_url);
  return app;
}

/** Looks at the whole of a page, also what lies below the screen. */
async function lookAtAll(page, name, options) {
  const screen = page.viewportSize();
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ ...screen, height: Math.max(screen.height, height) });
  await look(page, name, options);
  await page.setViewportSize(screen);
}

scenario('three taps make a guest; their link opens without an account, until it is ended with one tap', async (world) => {
  const app = await host(world);
  const { page } = app;
  let taps = 0;
  const tap = async (what) => {
    taps += 1;
    await what.click();
  };
  await tap(page.getByRole('link', { name: t('app-tab-guests'), exact: true }));
  await says(page, 'app-guests-none');
  await look(page, 'app-guests-none');
  await tap(page.getByRole('link', { name: t('app-guest-new'), exact: true }));
  await page.getByRole('heading', { level: 1, name: t('app-guest-new') }).waitFor();
  await lookAtAll(page, 'app-guest-new');
  await fits(page, 'app-guest-new');
  await tap(page.getByRole('button', { name: t('app-guest-make'), exact: true }));
  await says(page, 'guest-state-now');
  await page.waitForFunction(() => window.shared);
  assert.equal(taps, 3);
  const { url } = await page.evaluate(() => window.shared);
  assert.match(url, /\/guest#[A-Z2-7]{52}$/);
  await lookAtAll(page, 'app-guest-pass');
  await fits(page, 'app-guest-pass');

  // the guest's own phone
  const guest = await world.page('phone');
  const asked = [];
  guest.on('request', (request) => asked.push(request));
  await guest.goto(url);
  await says(guest, 'guest-at-panel');
  assert.equal(new URL(guest.url()).hash, '', 'the token stays in the address');
  const open = doorButton(guest);
  await lookAtAll(guest, 'guest-now', { forced: true });
  await fits(guest, 'guest-now');
  await open.click();
  await guest.locator('button.open').waitFor();
  await look(guest, 'guest-open');
  const token = new URL(url).hash.slice(1);
  for (const request of asked) {
    assert.ok(!request.url().includes(token) && !(request.headers().referer ?? '').includes(token), `the token is told to ${request.url()}`);
    assert.equal(new URL(request.url()).origin, world.demo.origin);
  }
  assert.deepEqual(await guest.context().cookies(), []);
  // a reload goes on
  await guest.reload();
  await says(guest, 'guest-at-panel');
  await guest.getByRole('button', { name: t('guest-large') }).click();
  await look(guest, 'guest-large');
  await guest.keyboard.press('Escape');

  // ended: one tap, and it is over at once
  await page.getByRole('button', { name: t('app-guest-end'), exact: true }).click();
  await page.getByText(pattern('app-guest-ended')).waitFor();
  await look(page, 'app-guest-ended');
  await open.click();
  await says(guest, 'guest-unknown');
  await look(guest, 'guest-unknown');

  // the same again has another link
  await page.getByRole('button', { name: t('app-guest-anew') }).click();
  await says(page, 'guest-state-now');
  await page.waitForFunction((before) => window.shared?.url !== before, url);
});

scenario('who may come once opens once; hours, beginning and end hold; a new link ends the old', async (world) => {
  const app = await host(world);
  const { origin } = world.demo;

  const once = await makeGuest(app.page, origin, { name: 'Once', once: true });
  const page = await follow(world, once);
  await doorButton(page).click();
  await page.locator('button.open').waitFor();
  await says(page, 'guest-why-over');
  await look(page, 'guest-used');

  const coming = await makeGuest(app.page, origin, { name: 'Later', starts_at: Date.now() + 24 * HOUR, ends_at: Date.now() + 30 * HOUR });
  const early = await follow(world, coming);
  await says(early, 'guest-why-coming');
  assert.equal(await doorButton(early).getAttribute('aria-disabled'), 'true');
  await look(early, 'guest-coming');

  const cleaner = await makeGuest(app.page, origin, { name: 'Cleaner', hours: neverNow(), ends_at: Date.now() + 20 * 24 * HOUR });
  const outside = await follow(world, cleaner);
  await says(outside, 'guest-why-outside-hours');
  assert.equal(await doorButton(outside).getAttribute('aria-disabled'), 'true');
  await look(outside, 'guest-outside-hours');

  const short = await makeGuest(app.page, origin, { name: 'Short', ends_at: Date.now() + 4_000 });
  const late = await follow(world, short);
  await late.getByRole('timer').waitFor();
  await says(late, 'guest-why-over');
  await look(late, 'guest-over');

  // the list has them all
  await app.page.getByRole('link', { name: t('app-tab-guests'), exact: true }).click();
  await app.page.getByRole('link', { name: /Cleaner/ }).waitFor();
  await lookAtAll(app.page, 'app-guests');
  await fits(app.page, 'app-guests');
  await app.page.getByRole('link', { name: /Later/ }).click();
  await app.page.getByRole('button', { name: t('app-guest-new-link'), exact: true }).click();
  await says(app.page, 'app-guest-new-link-done');
  await early.reload();
  await says(early, 'guest-unknown');

  // changed: earlier to come to an end, with hours
  await app.page.getByRole('link', { name: t('app-guest-change'), exact: true }).click();
  await app.page.getByLabel(t('app-guest-name'), { exact: true }).fill('Somebody');
  await app.page.getByRole('button', { name: t('app-guest-save'), exact: true }).click();
  await app.page.getByRole('heading', { level: 1, name: 'Somebody' }).waitFor();

  // without a connection: to be read, and nothing to be made
  await app.page.getByRole('link', { name: t('app-guests-back') }).click();
  await app.page.context().setOffline(true);
  await app.page.getByText(t('app-guests-offline')).waitFor({ timeout: 40_000 });
  await app.page.getByText('Cleaner').waitFor();
  await look(app.page, 'app-guests-offline');
  await app.page.context().setOffline(false);
  await outside.context().setOffline(true);
  await outside.evaluate(() => dispatchEvent(new Event('online')));
  await says(outside, 'guest-offline');
  await look(outside, 'guest-offline');
  await outside.context().setOffline(false);

  const bare = await world.page('phone');
  await bare.goto(`${origin}/guest`);
  await says(bare, 'guest-no-link');
  await look(bare, 'guest-no-link');
}, { fresh: true });

scenario('a pass goes out by e-mail, in the guest’s language, and its link opens', async (world) => {
  const app = await host(world);
  const { page } = app;
  await makeGuest(page, world.demo.origin);
  await page.getByRole('link', { name: t('app-tab-guests'), exact: true }).click();
  await page.getByRole('link', { name: /Kari/ }).click();
  await page.getByRole('button', { name: t('app-guest-mail') }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(t('app-guest-email'), { exact: true }).fill('nobody');
  await dialog.getByRole('button', { name: t('app-guest-send'), exact: true }).click();
  await dialog.getByText(t('error-not-an-email')).waitFor();
  await look(page, 'app-guest-mail');
  await dialog.getByLabel(t('app-guest-email'), { exact: true }).fill('kari@example.org');
  await dialog.getByLabel(t('app-guest-language'), { exact: true }).selectOption('sv');
  await dialog.getByRole('button', { name: t('app-guest-send'), exact: true }).click();
  await page.getByText(t('app-guest-mailed', { email: 'kari@example.org' })).waitFor();
  const folder = world.demo.told.mail_folder;
  let files = [];
  for (const late = performance.now() + 30_000; files.length === 0 && performance.now() < late; ) {
    files = await readdir(folder).catch(() => []);
    await page.waitForTimeout(50);
  }
  const { to, text } = await mail(join(folder, files[0]));
  assert.equal(to, 'kari@example.org');
  const link = /http\S+\/guest#[A-Z2-7]{52}/.exec(text)?.[0];
  const guest = await world.page('phone');
  await guest.goto(link);
  await doorButton(guest).click();
  await guest.locator('button.open').waitFor();
}, { fresh: true });

scenario('a building without guests says so, and a home that has all it may have', async (world) => {
  const app = await host(world);
  const { origin, told } = world.demo;
  const admin = await world.page('desktop');
  const { user_name, password } = told.administrator;
  await api(admin, origin, 'POST', '/session', { user_name, password, device_name: 'tests' });
  const policy = async (guests) => {
    for (const { id } of await api(admin, origin, 'GET', '/buildings')) {
      const found = await api(admin, origin, 'GET', `/buildings/${id}/policy`);
      await api(admin, origin, 'PUT', `/buildings/${id}/policy`, { ...found, policy: { ...found.policy, guests } });
    }
  };
  await policy(1);
  await makeGuest(app.page, origin);
  await app.page.getByRole('link', { name: t('app-tab-guests'), exact: true }).click();
  await says(app.page, 'app-guests-full');
  await look(app.page, 'app-guests-full');
  const { items } = await api(app.page, origin, 'GET', '/me/guests');
  await api(app.page, origin, 'DELETE', `/me/guests/${items[0].id}`);
  await policy(0);
  await app.page.reload();
  await says(app.page, 'app-guests-not-here');
  await look(app.page, 'app-guests-not-here');
}, { fresh: true });

scenario('the administration gives a cleaner a pass on paper, and ends it', async (world) => {
  const page = await world.page('desktop');
  const admin = new Admin(page);
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  await admin.enter(world.town.building);
  await admin.section('admin-section-guests');
  await says(page, 'admin-guests-none');
  await look(page, 'admin-guests-none');
  await page.getByRole('button', { name: t('app-guest-new'), exact: true }).click();
  const { dialog } = admin;
  await dialog.getByLabel(t('admin-name'), { exact: true }).fill('Cleaning');
  await dialog.getByRole('button', { name: t('app-guest-make') }).click();
  await dialog.getByText(t('error-required')).first().waitFor();
  await dialog.getByRole('checkbox').first().check();
  await dialog.getByRole('button', { name: t('app-guest-hours-add') }).click();
  await look(page, 'admin-guest-form');
  await dialog.getByRole('button', { name: t('app-guest-make') }).click();
  await dialog.getByRole('img', { name: t('guest-qr') }).waitFor();
  await look(page, 'admin-guest-pass');
  await page.setViewportSize(SIZES.phone);
  await fits(page, 'admin-guest-pass-phone');
  await look(page, 'admin-guest-pass-phone');
  await page.setViewportSize(SIZES.desktop);
  // on paper: the sheet alone, on one page of A6
  const paper = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
  assert.deepEqual(paper.match(/\/MediaBox\s*\[[^\]]*\]/g).map((box) => box.match(/[\d.]+/g).slice(2).map((side) => Math.round(Number(side)))), [[298, 420]]);
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.locator('.shell').isVisible(), false);
  await page.getByText(t('admin-guest-print-text')).waitFor();
  await page.screenshot({ path: new URL('../screens/admin-guest-paper.png', import.meta.url).pathname });
  await page.emulateMedia({ media: 'screen' });
  await dialog.getByRole('button', { name: t('common-close') }).click();
  await dismissToasts(page);
  await look(page, 'admin-guests');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-guests-phone');
  await fits(page, 'admin-guests-phone');
  await page.setViewportSize(SIZES.desktop);

  const { origin } = world.demo;
  const [building] = (await api(page, origin, 'GET', '/buildings')).filter(({ name }) => name === world.town.building);
  const [guest] = (await api(page, origin, 'GET', `/buildings/${building.id}/guests`)).items;
  await page.getByRole('button', { name: `${t('admin-guest-end')}: Cleaning` }).click();
  await dialog.getByRole('button', { name: t('admin-guest-end'), exact: true }).click();
  await says(page, 'admin-guests-none');
  const answer = await page.request.post(`${origin}/api/v1/guest/look`, { headers: { origin }, data: { token: tokenOf(guest) } });
  assert.equal(answer.status(), 404);
}, { fresh: true });
