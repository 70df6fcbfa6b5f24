// Groups: a rule names who and what is in them, the door obeys, and who is taken out has nothing any more.

import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { dismissToasts, fits, look } from '../support/looks.mjs';
import { t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

scenario('who is in a group opens what is in another, until they are taken out', async (world) => {
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
  await page.getByText(t('admin-groups-none')).waitFor();
  const { dialog } = admin;
  const groups = page.getByRole('region', { name: t('admin-groups') });

  // two groups
  await groups.getByRole('button', { name: t('admin-group-add-people') }).click();
  await dialog.getByLabel(t('admin-name'), { exact: true }).fill('Cleaners');
  await dialog.getByLabel(t('admin-pick-person'), { exact: true }).fill(resident.name);
  await dialog.getByRole('radio', { name: new RegExp(resident.name) }).first().click();
  await dialog.getByRole('button', { name: t('admin-rule-take-out', { name: resident.name }) }).waitFor();
  await look(page, 'admin-group-people');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-group-people-phone');
  await page.setViewportSize(SIZES.desktop);
  await dialog.getByRole('button', { name: t('admin-group-add-people') }).click();
  await groups.getByRole('heading', { name: 'Cleaners' }).waitFor();
  await groups.getByRole('button', { name: t('admin-group-add-doors') }).click();
  await dialog.getByLabel(t('admin-name'), { exact: true }).fill('Stairs');
  await dialog.getByRole('checkbox', { name: door }).check();
  await look(page, 'admin-group-doors');
  await dialog.getByRole('button', { name: t('admin-group-add-doors') }).click();
  await groups.getByRole('heading', { name: 'Stairs' }).waitFor();

  // the rule
  await page.getByRole('button', { name: t('admin-rule-add'), exact: true }).click();
  await dialog.getByLabel(t('admin-name'), { exact: true }).fill('Cleaning');
  await dialog.getByLabel(t('admin-rule-add-group'), { exact: true }).selectOption({ label: 'Cleaners' });
  await dialog.getByRole('button', { name: t('admin-rule-take-out', { name: t('admin-rule-group', { name: 'Cleaners' }) }) }).waitFor();
  await dialog.getByRole('checkbox', { name: t('admin-rule-group', { name: 'Stairs' }) }).check();
  const said = t('admin-rule-sentence', {
    who: t('admin-rule-group', { name: 'Cleaners' }), doors: t('admin-rule-the-group', { name: 'Stairs' }), when: t('admin-rule-any-time')
  });
  await dialog.getByText(said).waitFor();
  await look(page, 'admin-rule-form-groups');
  await dialog.getByRole('button', { name: t('admin-rule-save') }).click();
  await page.getByText(`${said}.`).waitFor();
  await groups.getByText(t('admin-group-used', { rules: 'Cleaning' })).first().waitFor();
  // what a rule names is not removed by a slip
  await groups.getByRole('button', { name: `${t('admin-rule-remove')}: Cleaners` }).waitFor({ state: 'detached' });

  // the app has the door when it is opened anew, and it opens
  await app.reload();
  await app.ready();
  await opens.click();
  await app.page.locator('article.open', { hasText: door }).waitFor();
  const why = page.getByRole('region', { name: t('admin-why') });
  await why.getByLabel(t('admin-pick-person'), { exact: true }).fill(resident.name);
  await why.getByRole('radio', { name: new RegExp(resident.name) }).first().check();
  await why.getByLabel(t('admin-why-door')).selectOption({ label: door });
  await why.getByRole('button', { name: t('admin-why-ask') }).click();
  await why.getByText(t('admin-why-opens'), { exact: true }).waitFor();
  const through = new Intl.ListFormat('en').format(['Cleaners', 'Stairs']);
  await why.getByText(t('admin-why-through', { groups: through })).waitFor();

  await dismissToasts(page);
  await page.evaluate(() => scrollTo(0, 0));
  await look(page, 'admin-groups', { forced: true });
  await fits(page, 'rules with groups, desktop');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-groups-phone');
  await fits(page, 'rules with groups, phone');
  await page.setViewportSize(SIZES.desktop);

  // taken out
  await groups.getByRole('button', { name: `${t('admin-group-edit')}: Cleaners` }).click();
  await dialog.getByRole('button', { name: t('admin-rule-take-out', { name: resident.name }) }).click();
  await dialog.getByText(t('admin-group-nobody')).waitFor();
  await dialog.getByRole('button', { name: t('admin-group-edit') }).click();
  await groups.getByText(t('admin-group-nobody')).waitFor();
  await page.getByText(t('admin-rule-note-nobody')).waitFor();
  await app.reload();
  await app.ready();
  await app.page.getByRole('button', { name: t('app-open-named', { door: 'Garage' }) }).waitFor();
  if ((await opens.count()) > 0) throw new Error('the app lists a door of a group that one is not in');
}, { fresh: true });

scenario('a floor of a lift, and hours of days that are different', async (world) => {
  const page = await world.page('desktop');
  const admin = new Admin(page);
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  await admin.enter(world.town.building);
  const { dialog } = admin;
  await admin.section('admin-section-doors');
  await page.getByRole('button', { name: t('admin-add-doors') }).click();
  await dialog.getByLabel(t('admin-name'), { exact: true }).fill('Lift 4');
  await dialog.getByRole('checkbox', { name: t('admin-add-floor') }).check();
  await dialog.getByRole('button', { name: t('admin-add-doors') }).click();
  const row = page.getByRole('row', { name: new RegExp(`${t('admin-door-kind-floor')}: ?Lift 4`) });
  await row.waitFor();
  await row.getByRole('button', { name: t('admin-door-settings', { name: 'Lift 4' }) }).click();
  await dialog.getByLabel(t('admin-door-two-people'), { exact: true }).waitFor();
  if ((await dialog.getByLabel(t('admin-door-airlock'), { exact: true }).count()) > 0) throw new Error('a floor is offered an airlock');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await look(page, 'admin-doors-floor');
  const [resident] = world.town.bell('individual').residents;
  const app = await world.app(resident);
  await app.page.getByRole('button', { name: t('app-open-named', { door: 'Lift 4' }) }).waitFor();
  await app.page.getByText(`, ${t('app-door-floor')}`).waitFor();
  await look(app.page, 'app-floor');

  // tomorrow is different, and so are holidays
  const day = (ahead) => new Intl.DateTimeFormat('sv', { timeZone: 'Europe/Oslo' }).format(Date.now() + ahead * 86_400_000);
  await admin.section('admin-section-rules');
  await page.getByRole('button', { name: t('admin-schedule-add') }).click();
  await dialog.getByLabel(t('admin-name'), { exact: true }).fill('Office');
  for (const day of [0, 1, 2, 3, 4, 5, 6]) await dialog.locator(`.days input[value="${day}"]`).check();
  await dialog.getByLabel(t('admin-schedule-holidays'), { exact: true }).selectOption('own');
  await dialog.getByRole('button', { name: t('admin-schedule-exception-add') }).click();
  await dialog.getByLabel(t('admin-rule-first-day'), { exact: true }).fill(day(1));
  const exceptions = dialog.getByRole('group', { name: t('admin-schedule-exceptions') });
  await exceptions.getByText(t('admin-schedule-closed'), { exact: true }).waitFor();
  await exceptions.getByRole('button', { name: t('admin-schedule-span-add') }).click();
  await exceptions.getByLabel(t('admin-schedule-from'), { exact: true }).fill('11:00');
  await exceptions.getByLabel(t('admin-schedule-until'), { exact: true }).fill('13:30');
  await look(page, 'admin-schedule-exceptions');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-schedule-exceptions-phone');
  await page.setViewportSize(SIZES.desktop);
  await dialog.getByRole('button', { name: t('admin-schedule-add') }).click();
  const week = page.getByRole('table', { name: t('admin-schedule-week', { name: 'Office' }) });
  await week.getByText(`11:00–13:30 · ${t('admin-schedule-exception')}`).waitFor();
  await dismissToasts(page);
  await week.scrollIntoViewIfNeeded();
  await look(page, 'admin-week-exception');
  // kept as they were written
  await page.getByRole('button', { name: `${t('admin-schedule-edit')}: Office` }).click();
  await exceptions.getByLabel(t('admin-schedule-until'), { exact: true }).waitFor();
  const until = await exceptions.getByLabel(t('admin-schedule-until'), { exact: true }).inputValue();
  const holidays = await dialog.getByLabel(t('admin-schedule-holidays'), { exact: true }).inputValue();
  if (until !== '13:30' || holidays !== 'own') throw new Error(`kept: ${until}, ${holidays}`);
}, { fresh: true });
