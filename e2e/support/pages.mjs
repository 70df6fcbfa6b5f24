// What the tests that look at every page of the administration have in common.

import assert from 'node:assert/strict';
import { Admin } from './admin.mjs';
import { t } from './texts.mjs';

export const WIDE = { width: 1440, height: 900 };
/** 200 % of a desktop of 1280. */
export const ZOOMED = { width: 640, height: 400 };

export async function administrator(world, language = 'en') {
  const page = await world.page('desktop');
  await page.addInitScript((tag) => localStorage.getItem('klinke.locale') ?? localStorage.setItem('klinke.locale', tag), 'en');
  const admin = new Admin(page);
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  await admin.enter(world.town.building);
  await page.evaluate((tag) => localStorage.setItem('klinke.locale', tag), language);
  await page.reload();
  await admin.loaded();
  return admin;
}

/** Pages that are of all buildings: who is on one has no navigation, so they come last. */
const OF_ALL = ['/admin/phones', '/admin/integrations', '/admin/changes'];

/** The addresses of the building's pages, as the navigation has them, and of those that are of all buildings. */
export const pagesOf = async (page) => [
  ...(await page.locator('.shell > nav a[href^="/admin/buildings/"]').evaluateAll((links) => links.map((link) => link.getAttribute('href')))),
  ...OF_ALL
];

export const nameOf = (address) => (OF_ALL.includes(address) ? address.split('/')[2] : (address.split('/')[4] ?? 'overview'));

/** Goes to a page by its link, as people do: what was fetched stays fetched. */
export async function go(admin, address) {
  const { page } = admin;
  if (OF_ALL.includes(address)) {
    await page.locator('.shell > header a.home').click();
    await page.locator(`main a[href="${address}"]`).click();
    await page.waitForURL((url) => url.pathname === address);
  } else {
    await page.locator(`.shell > nav a[href="${address}"]`).click();
    await page.locator(`.shell > nav a[href="${address}"][aria-current=page]`).waitFor();
  }
  await admin.loaded();
}

/** All that is wrong, of every page: one that fails does not hide the next. */
export function gathered() {
  const found = [];
  return {
    check: (what) => what().catch((error) => found.push(error.actual ? `${error.message.split('\n')[0]}: ${JSON.stringify(error.actual)}` : error.message)),
    end: () => assert.equal(found.length, 0, found.join('\n')),
  };
}

/** Each tab of the page that is open, when it has some. */
export async function eachTab(page, what) {
  const tabs = page.locator('main [role=tab]');
  await what('');
  for (let at = 1; at < (await tabs.count()); at += 1) {
    await tabs.nth(at).click();
    await page.waitForFunction(() => !document.querySelector('[aria-busy=true]'));
    await what(`-${at + 1}`);
  }
}
