// What others may: the app as residents see it, in the administration; and the pages for who may not.

import assert from 'node:assert/strict';
import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { look, nothingCut } from '../support/looks.mjs';
import { t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

async function manager(world, section) {
  const admin = new Admin(await world.page('desktop'));
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  await admin.enter(world.town.building);
  await admin.section(section);
  return admin;
}

scenario('the app as a unit owner and as a member see it: the same as theirs, and nothing of it can be used', async (world) => {
  const [owner, member] = world.town.bell('parallel', 2).residents;
  const admin = await manager(world, 'admin-section-people');
  const { page } = admin;
  const { origin } = world.demo;
  const list = page.url();
  const get = async (from, path) => {
    const answer = await from.request.get(`${origin}/api/v1${path}`);
    assert.equal(answer.status(), 200, path);
    return answer.json();
  };
  for (const [who, one] of [['owner', owner], ['member', member]]) {
    const { items } = await get(page, `/people?text=${encodeURIComponent(one.name)}`);
    const { id } = items.find(({ name }) => name === one.name);
    const app = await world.app(one);
    const [homes, bells, seen] = [await get(app.page, '/me/household'), await get(app.page, '/me/bells'), await get(page, `/people/${id}/app`)];
    assert.deepEqual([seen.homes, seen.bells, seen.suspended], [homes, bells, false]);
    assert.ok(seen.doors.length > 0 && homes[0].owner === (who === 'owner'));

    await page.setViewportSize(SIZES.desktop);
    await page.goto(`${list}?person=${id}`);
    const opener = page.getByRole('button', { name: t('admin-seen'), exact: true });
    await opener.click();
    const dialog = page.getByRole('dialog', { name: t('admin-seen-title', { name: one.name }) });
    await dialog.getByText(seen.doors[0].name, { exact: true }).waitFor();
    await dialog.getByText(t(who === 'owner' ? 'app-member-locked' : 'app-member-not-owner')).waitFor();
    assert.equal(await dialog.getByText(t('app-bell-locked-owner')).count(), who === 'owner' ? 0 : bells.length);
    const controls = dialog.locator('fieldset').locator('button, input, select, textarea');
    assert.ok((await controls.count()) > 3);
    assert.equal(await dialog.locator('fieldset :is(button, input, select, textarea):enabled').count(), 0);
    await look(page, `admin-seen-${who}`, { forced: true });
    await page.setViewportSize(SIZES.phone);
    await look(page, `admin-seen-${who}-phone`);
    await nothingCut(page, 'the app of somebody, phone');
    // what is long is scrolled with keys
    const region = dialog.getByRole('region');
    await region.focus();
    await page.keyboard.press('End');
    await look(page, `admin-seen-${who}-end-phone`);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    assert.ok(await opener.evaluate((button) => button === document.activeElement), 'the focus is lost');
  }
}, { fresh: true });

scenario('who is suspended sees nothing, and the page says so', async (world) => {
  const [one] = world.town.bell('individual').residents;
  const admin = await manager(world, 'admin-section-people');
  const { page } = admin;
  const { origin } = world.demo;
  const { items } = await (await page.request.get(`${origin}/api/v1/people?text=${encodeURIComponent(one.name)}`)).json();
  const { id } = items.find(({ name }) => name === one.name);
  assert.ok((await page.request.put(`${origin}/api/v1/people/${id}/suspension`, { headers: { origin } })).ok());
  await page.goto(`${page.url()}?person=${id}`);
  await page.getByRole('button', { name: t('admin-seen'), exact: true }).click();
  await page.getByRole('dialog', { name: t('admin-seen-title', { name: one.name }) }).getByText(t('admin-seen-suspended')).waitFor();
  await look(page, 'admin-seen-suspended');
}, { fresh: true });

scenario('who has no right to the audit is told so by its page, and not by a broken one', async (world) => {
  const admin = await manager(world, 'admin-section-roles');
  const { page } = admin;
  await page.getByRole('button', { name: t('admin-view-as', { role: t('admin-role-caretaker') }) }).click();
  await page.getByRole('complementary', { name: t('admin-viewing-label') }).waitFor();
  for (const section of ['audit', 'people', 'roles']) {
    await page.goto(page.url().replace(/\/[a-z]+$/, `/${section}`));
    await page.getByText(t('admin-no-access'), { exact: true }).first().waitFor();
    await look(page, `admin-${section}-denied`);
    await page.setViewportSize(SIZES.phone);
    await look(page, `admin-${section}-denied-phone`);
    await nothingCut(page, `${section} denied, phone`);
    await page.setViewportSize(SIZES.desktop);
  }
});
