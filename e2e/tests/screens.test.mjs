// Every screen in light and dark: a picture of each, and nothing for axe to find.

import { shoot, usableByAll } from '../support/looks.mjs';
import { t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

for (const theme of ['light', 'dark']) {
  const look = async (page, name, options) => {
    await shoot(page, name, theme, options);
    await usableByAll(page, name);
  };

  scenario(
    `panel and app in a call, ${theme}`,
    async (world) => {
      const bell = world.town.bell('individual');
      const { panel, apps: [app] } = await world.household(bell);
      await look(panel.page, 'panel-home', { readme: 'panel' });
      await look(app.page, 'app-doors');

      await panel.ring(bell);
      await app.rings();
      await app.seesPicture();
      await look(panel.page, 'panel-calling');
      await look(app.page, 'app-ringing', { readme: 'app-ringing' });

      await app.answer();
      await panel.talks();
      await app.talks();
      await look(panel.page, 'panel-in-call');
      await look(app.page, 'app-in-call');

      await app.openDoor();
      await panel.showsOpen();
      await look(app.page, 'app-door-open');
      await look(panel.page, 'panel-door-open');

      await app.hangUp();
      await app.isHome();
      await panel.backToNames();
      await panel.ring(bell);
      await app.rings();
      await app.decline();
      await panel.says('panel-over-declined');
      await look(panel.page, 'panel-declined');
    },
    { theme },
  );

  scenario(
    `panel: a family’s members, ${theme}`,
    async (world) => {
      const bell = world.town.bell('family');
      const panel = await world.panel(bell);
      await panel.choose(bell);
      await look(panel.page, 'panel-members');
    },
    { theme },
  );

  scenario(
    `app on a tablet, ${theme}`,
    async (world) => {
      const bell = world.town.bell('individual');
      const panel = await world.panel(bell);
      const app = await world.app(bell.residents[0], 'tablet');
      await look(app.page, 'app-doors-tablet');
      await panel.ring(bell);
      await app.rings();
      await app.seesPicture();
      await look(app.page, 'app-ringing-tablet');
    },
    { theme },
  );

  scenario(
    `before anybody is signed in or paired, ${theme}`,
    async (world) => {
      const { app_url, admin_url } = world.demo.told;
      const app = await world.page('phone');
      await app.goto(app_url);
      await app.getByRole('button', { name: t('app-sign-in'), exact: true }).waitFor();
      await look(app, 'app-sign-in');

      const admin = await world.page('desktop');
      await admin.goto(admin_url);
      await admin.getByRole('button', { name: t('app-sign-in'), exact: true }).waitFor();
      await look(admin, 'admin-sign-in');

      const panel = await world.page('panel');
      await panel.goto(new URL('/panel', app_url).href);
      await panel.getByText(/\d{4} \d{4}/).waitFor();
      await look(panel, 'panel-pairing');
    },
    { theme },
  );

  scenario(
    `administration, ${theme}`,
    async (world) => {
      const page = await world.page('desktop');
      const { admin_url, administrator } = world.demo.told;
      await page.goto(admin_url);
      await page.getByLabel(t('app-user-name')).fill(administrator.user_name);
      await page.getByLabel(t('app-password'), { exact: true }).fill(administrator.password);
      await page.getByRole('button', { name: t('app-sign-in'), exact: true }).click();
      const links = page.getByRole('navigation').getByRole('link');
      await links.first().waitFor();
      for (const name of await links.allInnerTexts()) {
        await links.getByText(name, { exact: true }).click();
        await page.getByRole('heading', { level: 1 }).first().waitFor();
        await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
        await look(page, `admin-${name.trim().toLowerCase().replace(/\W+/g, '-')}`);
      }
    },
    { theme },
  );
}
