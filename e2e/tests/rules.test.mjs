// Rules: an administrator writes who may open what and when, and the door obeys.

import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { dismissToasts, fits, look } from '../support/looks.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

/** A weekday on which it is neither today nor was it yesterday in the building's zone: 0 is Monday. */
function farDay() {
  const name = new Intl.DateTimeFormat('en', { weekday: 'short', timeZone: 'Europe/Oslo' }).format(Date.now());
  return (['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].indexOf(name) + 3) % 7;
}

scenario('a rule gives somebody a door, its hours take it again, and “why” says the same', async (world) => {
  // who lives behind entrance A does not open entrance B
  const [resident] = world.town.bell('individual').residents;
  const door = 'Entrance B';
  const app = await world.app(resident);
  const opens = app.page.getByRole('button', { name: t('app-open-named', { door }) });
  await app.page.getByRole('button', { name: t('app-open-named', { door: 'Garage' }) }).waitFor();
  if ((await opens.count()) > 0) throw new Error('the test needs a door that the resident does not have');

  const page = await world.page('desktop');
  const admin = new Admin(page);
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  await admin.enter(world.town.building);
  await admin.section('admin-section-rules');
  await page.getByText(t('admin-rules-none')).waitFor();
  await look(page, 'admin-rules-none');

  const why = page.getByRole('region', { name: t('admin-why') });
  const ask = async () => {
    await why.getByLabel(t('admin-pick-person'), { exact: true }).fill(resident.name);
    await why.getByRole('radio', { name: new RegExp(resident.name) }).first().check();
    await why.getByLabel(t('admin-why-door')).selectOption({ label: door });
    await why.getByRole('button', { name: t('admin-why-ask') }).click();
  };
  await ask();
  await why.getByText(t('admin-why-no-right')).waitFor();

  // the rule
  await page.getByRole('button', { name: t('admin-rule-add') }).click();
  const { dialog } = admin;
  await dialog.getByLabel(t('admin-name'), { exact: true }).fill('Helpers');
  await dialog.getByLabel(t('admin-pick-person'), { exact: true }).fill(resident.name);
  // taken at once: it does not stay chosen
  await dialog.getByRole('radio', { name: new RegExp(resident.name) }).first().click();
  await dialog.getByRole('button', { name: t('admin-rule-take-out', { name: resident.name }) }).waitFor();
  await dialog.getByRole('checkbox', { name: door }).check();
  const said = t('admin-rule-sentence', { who: resident.name, doors: door, when: t('admin-rule-any-time') });
  await dialog.getByText(said).waitFor();
  await look(page, 'admin-rule-form');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-rule-form-phone');
  await page.setViewportSize(SIZES.desktop);
  await dialog.getByRole('button', { name: t('admin-rule-save') }).click();
  await page.getByText(`${said}.`).waitFor();

  // the app has the door when it is opened anew, and it opens
  await app.reload();
  await app.ready();
  await opens.click();
  await app.page.locator('article.open', { hasText: door }).waitFor();
  await ask();
  await why.getByText(t('admin-why-opens'), { exact: true }).waitFor();
  await why.getByRole('listitem').getByText(t('admin-why-by-rule', { name: 'Helpers' })).waitFor();

  // hours that are never now
  await page.getByRole('button', { name: t('admin-schedule-add') }).click();
  await dialog.getByLabel(t('admin-name'), { exact: true }).fill('Another day');
  for (const day of [0, 1, 2, 3, 4, 5, 6]) {
    await dialog.locator(`.days input[value="${day}"]`).setChecked(day === farDay());
  }
  await dialog.getByLabel(t('admin-schedule-from'), { exact: true }).fill('10:00');
  await dialog.getByLabel(t('admin-schedule-until'), { exact: true }).fill('12:00');
  await look(page, 'admin-schedule-form');
  await dialog.getByRole('button', { name: t('admin-schedule-add') }).click();
  await page.getByRole('heading', { name: 'Another day' }).waitFor();
  await page.getByRole('table', { name: t('admin-schedule-week', { name: 'Another day' }) }).getByText('10:00–12:00').waitFor();
  await page.getByRole('button', { name: `${t('admin-rule-edit')}: Helpers` }).click();
  await dialog.getByLabel(t('admin-schedules'), { exact: true }).selectOption({ label: 'Another day' });
  await dialog.getByRole('button', { name: t('admin-rule-save') }).click();
  await page.getByText(`${t('admin-rule-sentence', { who: resident.name, doors: door, when: 'Another day' })}.`).waitFor();

  // the app says when it opens next; whether it does now, the server says
  await app.reload();
  await app.ready();
  const card = app.page.getByRole('article', { name: door });
  await card.getByText(pattern('app-opens-next')).waitFor();
  await card.getByText(/ 10:00$/).waitFor();
  await look(app.page, 'app-door-opens-next');
  await fits(app.page, 'a door that opens later');
  await opens.click();
  await app.page.getByText(pattern('door-refused-outside-hours')).first().waitFor();
  await look(app.page, 'app-door-outside-hours');
  await ask();
  await why.getByText(t('admin-why-outside-hours')).waitFor();
  await why.getByRole('listitem').getByText(pattern('admin-why-standing-outside-hours')).waitFor();

  // what was done is not what is looked at
  await dismissToasts(page);
  await page.evaluate(() => scrollTo(0, 0));
  await look(page, 'admin-rules', { forced: true });
  await fits(page, 'rules, desktop');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-rules-phone');
  await fits(page, 'rules, phone');
  await page.setViewportSize(SIZES.desktop);

  // removed, and taken back
  await page.getByRole('button', { name: `${t('admin-rule-remove')}: Helpers` }).click();
  await page.getByText(t('admin-rules-none')).waitFor();
  await page.keyboard.press('ControlOrMeta+z');
  await page.getByRole('heading', { name: 'Helpers' }).waitFor();
}, { fresh: true });
