// Tokens of other programs: made on the page, used by a program, taken back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Admin } from '../support/admin.mjs';
import { device, launch } from '../support/browser.mjs';
import { Demo } from '../support/demo.mjs';
import { look } from '../support/looks.mjs';
import { RESIDENT_HZ } from '../support/sound.mjs';
import { t } from '../support/texts.mjs';

let browser;
let demo;
before(async () => {
  browser = await launch(RESIDENT_HZ);
  demo = await Demo.start();
});
after(async () => {
  await demo?.stop();
  await browser?.close();
});

/** What a program is answered. */
async function ask(token, path) {
  const answer = await fetch(`${demo.origin}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return answer.status;
}

test('a token is made on the page, works for a program as far as it was given, and is taken back', async () => {
  const context = await device(browser, 'desktop');
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: demo.origin });
  const page = await context.newPage();
  const admin = new Admin(page);
  await admin.signIn(demo.told.admin_url, demo.told.administrator);
  await page.goto(`${demo.origin}/admin/integrations`);
  await page.getByRole('heading', { level: 1, name: t('admin-integrations') }).waitFor();
  await admin.loaded();
  await page.getByText(t('admin-tokens-none')).waitFor();
  await look(page, 'admin-integrations-empty');

  await page.getByRole('button', { name: t('admin-token-new') }).click();
  const { dialog } = admin;
  const make = () => dialog.getByRole('button', { name: t('admin-token-make') }).click();
  await make();
  await dialog.getByText(t('admin-form-wrong')).waitFor();
  await dialog.getByLabel(t('admin-name'), { exact: true }).fill('Regnskap');
  await make();
  await dialog.getByText(t('admin-token-rights-none')).waitFor();
  await dialog.getByLabel(t('admin-right-see-building')).check();
  await look(page, 'admin-token-new');
  await make();
  await dialog.getByText(t('admin-token-once')).waitFor();
  const token = await dialog.getByLabel(t('admin-token-secret')).textContent();
  assert.match(token, /^klk_[\w-]{43}$/);
  await dialog.getByRole('button', { name: t('admin-token-copy') }).click();
  await dialog.getByRole('button', { name: t('admin-token-copied') }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), token);
  await look(page, 'admin-token-made');
  await dialog.getByRole('button', { name: t('admin-token-kept') }).click();
  await dialog.waitFor({ state: 'hidden' });
  await admin.row('Regnskap').waitFor();
  assert.equal(await page.getByText(token).count(), 0);
  await look(page, 'admin-integrations');

  assert.equal(await ask(token, '/api/v1/buildings'), 200);
  assert.equal(await ask(token, '/api/v1/people'), 403);
  assert.equal(await ask(token, '/api/v1/session'), 403);

  await page.getByRole('button', { name: t('admin-token-revoke', { name: 'Regnskap' }) }).click();
  await dialog.getByText(t('admin-token-revoke-text')).waitFor();
  await look(page, 'admin-token-revoke');
  await dialog.getByRole('button', { name: t('admin-token-revoke-do') }).click();
  await page.getByText(t('admin-tokens-none')).waitFor();
  assert.equal(await ask(token, '/api/v1/buildings'), 401);
  await context.close();
});

test('a form that is sent again because no answer came makes one thing', async () => {
  const context = await device(browser, 'desktop');
  const page = await context.newPage();
  const admin = new Admin(page);
  await admin.signIn(demo.told.admin_url, demo.told.administrator);
  await page.goto(`${demo.origin}/admin/integrations`);
  await admin.loaded();
  // the server does it, and its answer is lost on the way
  const keys = [];
  await page.route('**/api/v1/tokens', async (route) => {
    const request = route.request();
    if (request.method() !== 'POST') return route.continue();
    keys.push(request.headers()['idempotency-key']);
    if (keys.length > 1) return route.continue();
    await route.fetch();
    await route.abort('connectionreset');
  });
  await page.getByRole('button', { name: t('admin-token-new') }).click();
  const { dialog } = admin;
  await dialog.getByLabel(t('admin-name'), { exact: true }).fill('Bare ett');
  await dialog.getByLabel(t('admin-right-see-building')).check();
  const make = dialog.getByRole('button', { name: t('admin-token-make') });
  await make.click();
  await dialog.getByText(t('error-offline')).waitFor();
  await make.click();
  await dialog.getByText(t('admin-token-once')).waitFor();
  // the token that was made the first time works
  const token = await dialog.getByLabel(t('admin-token-secret')).textContent();
  assert.equal(await ask(token, '/api/v1/buildings'), 200);
  assert.equal(keys.length, 2);
  assert.equal(keys[0], keys[1]);
  const tokens = await (await context.request.get(`${demo.origin}/api/v1/tokens`)).json();
  assert.equal(tokens.length, 1);
  await context.close();
});
