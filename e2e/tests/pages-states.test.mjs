// Every page of the administration when its lists fail, are not allowed, are not reached or are empty; a language each.

import assert from 'node:assert/strict';
import { SIZES } from '../support/browser.mjs';
import { look, nothingCut } from '../support/looks.mjs';
import { WIDE, administrator, gathered, go, nameOf, pagesOf } from '../support/pages.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

const fails = (status, code) => (route) =>
  route.request().method() === 'GET' && !/\/(session|setup|buildings)$/.test(new URL(route.request().url()).pathname)
    ? status === 0 ? route.abort() : route.fulfill({ status, contentType: 'application/problem+json', body: JSON.stringify({ type: 'about:blank', code, title: '', status }) })
    : route.fallback();

for (const [state, language, status, code] of [
  ['failed', 'nb', 500, 'internal'],
  ['denied', 'sv', 403, 'forbidden'],
  ['offline', 'da', 0, ''],
]) {
  scenario(`every page when it is ${state}, in ${language}`, async (world) => {
    const admin = await administrator(world, language);
    const { page } = admin;
    const all = gathered();
    const addresses = await pagesOf(page);
    await page.route('**/api/v1/**', fails(status, code));
    for (const [at, address] of addresses.entries()) {
      await go(admin, address);
      const name = `admin-page-${nameOf(address)}-${state}`;
      await page.setViewportSize(at % 2 ? SIZES.phone : WIDE);
      await all.check(async () => {
        await look(page, name);
        await nothingCut(page, name);
      });
      await page.setViewportSize(SIZES.desktop);
    }
    all.end();
    assert.equal(await page.evaluate(() => document.documentElement.lang), language);
  });
}

scenario('every page of a building with nothing in it, in nn', async (world) => {
  const admin = await administrator(world, 'nn');
  const { page } = admin;
  const { origin } = world.demo;
  const known = await (await page.request.get(`${origin}/api/v1/buildings`)).json();
  const made = await page.request.post(`${origin}/api/v1/buildings`, {
    headers: { origin },
    data: { name: 'Tomtebo', address: 'Tomteveien 1', kind: 'residential', time_zone: 'Europe/Oslo' },
  });
  assert.equal(made.status(), 201, await made.text());
  const { id } = await made.json();
  await page.goto(`${origin}/admin/buildings/${id}`);
  await admin.loaded();
  assert.ok(known.every((building) => building.id !== id));
  const all = gathered();
  for (const [at, address] of (await pagesOf(page)).entries()) {
    await go(admin, address);
    const name = `admin-page-${nameOf(address)}-empty`;
    await page.setViewportSize(at % 2 ? WIDE : SIZES.phone);
    await all.check(async () => {
      await look(page, name);
      await nothingCut(page, name);
    });
    await page.setViewportSize(SIZES.desktop);
  }
  all.end();
});
