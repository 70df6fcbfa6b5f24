// The administration's screens in light, dark and chosen colours, at a desk and on a phone; and every screen twice as large.

import { Admin } from '../support/admin.mjs';
import { fits, look } from '../support/looks.mjs';
import { t } from '../support/texts.mjs';
import { SIZES } from '../support/browser.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();
const SECTIONS = ['overview', 'units', 'bells', 'panels', 'doors', 'controllers'];

scenario('administration', async (world) => {
  const admin = new Admin(await world.page('desktop'));
  const { page } = admin;
  const { admin_url, administrator } = world.demo.told;
  await admin.signIn(admin_url, administrator);
  await admin.loaded();
  await look(page, 'admin-buildings');
  await admin.enter(world.town.building);
  for (const section of SECTIONS) {
    await admin.section(`admin-section-${section}`);
    await page.setViewportSize(SIZES.desktop);
    await look(page, `admin-${section}`, { forced: section === 'overview' || section === 'units' });
    await page.setViewportSize(SIZES.phone);
    await look(page, `admin-${section}-phone`);
  }
  await page.setViewportSize(SIZES.desktop);
  for (const [section, add] of [['panels', 'admin-panel-add'], ['controllers', 'admin-controller-add']]) {
    await admin.section(`admin-section-${section}`);
    await page.getByRole('button', { name: t(add) }).click();
    await admin.dialog.waitFor();
    await admin.dialog.getByLabel(t('admin-code'), { exact: true }).and(page.locator(':focus')).waitFor();
    await admin.loaded();
    await look(page, add, { forced: true });
    await admin.dialog.getByRole('button', { name: t('common-cancel') }).click();
  }
  await page.route(/\/api\/v1\/buildings\/[^/]+\/bells/, (route) => route.fulfill({ status: 500, json: { code: 'internal', title: '', status: 500 } }));
  await page.goto(page.url().replace(/controllers$/, 'bells'));
  await page.getByText(t('admin-list-failed')).waitFor();
  await look(page, 'admin-failed');
});

scenario('twice as large: nothing is lost on the app and the administration', async (world) => {
  // 200 % of a window is the window at half its size; 320 wide is 400 % of a desktop (WCAG 1.4.10)
  const sizes = { 'half a desktop': { width: 640, height: 400 }, narrow: { width: 320, height: 568 } };
  const bell = world.town.bell('individual');
  const panel = await world.panel(bell);
  const admin = new Admin(await world.page('desktop'));
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  await admin.enter(world.town.building);
  for (const section of SECTIONS) {
    await admin.section(`admin-section-${section}`);
    for (const [name, size] of Object.entries(sizes)) {
      await admin.page.setViewportSize(size);
      await fits(admin.page, `admin ${section}, ${name}`);
      if (section === 'units') await look(admin.page, `admin-units-zoom-${size.width}`);
    }
    await admin.page.setViewportSize(SIZES.desktop);
  }

  const app = await world.app(bell.residents[0], 'desktop');
  const everySize = async (screen) => {
    for (const [name, size] of Object.entries(sizes)) {
      await app.page.setViewportSize(size);
      await fits(app.page, `app ${screen}, ${name}`);
      await look(app.page, `app-${screen}-zoom-${size.width}`);
    }
  };
  await everySize('doors');
  await panel.ring(bell);
  await app.rings();
  await app.seesPicture();
  await everySize('ringing');
  await app.answer();
  await app.talks();
  await everySize('in-call');
});
