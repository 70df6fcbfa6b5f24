// Every screen in light, dark and (the main ones) chosen colours: a picture of each, and nothing for axe to find.
// Runs alone: screens that go away by themselves.

import { Admin } from '../support/admin.mjs';
import { look } from '../support/looks.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

scenario('a call, from the names to the words at its end', async (world) => {
  const bell = world.town.bell('parallel', 2);
  const { panel, apps: [app, other] } = await world.household(bell);
  await look(panel.page, 'panel-home-few', { forced: true });
  await look(app.page, 'app-doors', { forced: true });

  await panel.ring(bell);
  await app.rings();
  await app.seesPicture();
  await look(panel.page, 'panel-calling');
  await look(app.page, 'app-ringing', { readme: 'app-ringing', forced: true });

  await app.answer();
  await panel.talks();
  await app.talks();
  await other.says('app-elsewhere-answered');
  await look(other.page, 'app-elsewhere', { still: other.call });
  await look(panel.page, 'panel-in-call', { forced: true });
  await app.seesPicture();
  await look(app.page, 'app-in-call', { forced: true });

  const controls = app.page.getByRole('dialog');
  await controls.getByRole('button', { name: t('app-mute') }).click();
  await controls.getByRole('button', { name: t('app-video-off') }).click();
  await controls.getByText(t('app-picture-off')).waitFor();
  await look(app.page, 'app-in-call-muted-no-picture');

  await app.openDoor();
  await panel.showsOpen();
  await look(app.page, 'app-door-open');
  await app.openDoor();
  await panel.showsOpen();
  await look(panel.page, 'panel-door-open', { still: panel.page.getByRole('heading', { name: t('panel-open') }) });
  await app.hangUp();
  await app.says('app-ended-resident-hung-up');
  await look(app.page, 'app-call-over', { still: app.call });
});

scenario('a call that nobody takes', async (world) => {
  const bell = world.town.bell('individual');
  const { panel, apps: [app] } = await world.household(bell);
  await panel.ring(bell);
  await app.rings();
  await app.decline();
  await panel.says('panel-over-declined');
  await look(panel.page, 'panel-declined');
  await app.page.getByRole('link', { name: t('app-tab-me') }).click();
  await app.page.getByText(t('app-device-this'), { exact: true }).waitFor();
  await look(app.page, 'app-me');
  await app.page.getByRole('button', { name: t('app-sign-out-here') }).click();
  await app.page.getByRole('dialog').waitFor();
  await look(app.page, 'app-sign-out');
});

scenario('the panel of a whole association: at rest, searching, large', async (world) => {
  const panel = await world.panel(world.town.crowded());
  const { page } = panel;
  await look(page, 'panel-rest', { forced: true });
  await page.getByRole('button', { name: t('panel-touch') }).click();
  await look(page, 'panel-home', { readme: 'panel', forced: true });
  await page.getByRole('button', { name: 'H', exact: true }).click();
  await look(page, 'panel-search');
  await page.getByRole('button', { name: t('panel-large') }).click();
  await look(page, 'panel-large');
  await page.getByRole('button', { name: t('panel-large') }).click();
  await page.setViewportSize({ width: 1280, height: 800 });
  await look(page, 'panel-home-landscape');
});

scenario('the panel: a family’s members', async (world) => {
  const bell = world.town.bell('family');
  const panel = await world.panel(bell);
  await panel.choose(bell);
  await look(panel.page, 'panel-members');
});

scenario('the app on a tablet', async (world) => {
  const bell = world.town.bell('individual');
  const panel = await world.panel(bell);
  const app = await world.app(bell.residents[0], 'tablet');
  await look(app.page, 'app-doors-tablet');
  await panel.ring(bell);
  await app.rings();
  await app.seesPicture();
  await look(app.page, 'app-ringing-tablet');
  await app.answer();
  await app.talks();
  await look(app.page, 'app-in-call-tablet');
});

scenario('before anybody is signed in or paired', async (world) => {
  const { app_url, admin_url } = world.demo.told;
  const app = await world.page('phone');
  await app.goto(app_url);
  const signIn = app.getByRole('button', { name: t('app-sign-in'), exact: true });
  await signIn.waitFor();
  await look(app, 'app-sign-in', { forced: true });
  await app.getByLabel(t('app-user-name')).fill('nobody');
  await app.getByLabel(t('app-password'), { exact: true }).fill('not the password');
  await signIn.click();
  await app.getByText(t('error-sign-in-failed')).waitFor();
  await look(app, 'app-sign-in-failed');

  const admin = await world.page('desktop');
  await admin.goto(admin_url);
  await admin.getByRole('button', { name: t('app-sign-in'), exact: true }).waitFor();
  await look(admin, 'admin-sign-in');

  const panel = await world.page('panel');
  await panel.goto(new URL('/panel', app_url).href);
  await panel.getByText(/\d{4} \d{4}/).waitFor();
  await look(panel, 'panel-pairing');
});

scenario(
  'when the server is gone',
  async (world) => {
    const bell = world.town.bell('individual');
    const { panel, apps: [app] } = await world.household(bell);
    const admin = new Admin(await world.page('desktop'));
    await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
    await admin.enter(world.town.building);
    await world.demo.kill();
    await app.page.getByText(t('app-offline'), { exact: true }).waitFor();
    await look(app.page, 'app-offline');
    await panel.page.getByText(t('panel-offline')).first().waitFor();
    await look(panel.page, 'panel-offline');
    await panel.tap(bell);
    await panel.says('panel-over-offline');
    await look(panel.page, 'panel-over-offline');
    await admin.page.getByText(pattern('admin-stale')).first().waitFor();
    await look(admin.page, 'admin-offline');
    await world.demo.restart();
    await app.ready();
    await panel.backToNames();
  },
  { fresh: true },
);
