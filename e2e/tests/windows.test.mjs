// Why the server closes a connection, and what the pages make of it.
// Runs alone: calls with a picture that moves.

import { App } from '../support/app.mjs';
import { look } from '../support/looks.mjs';
import { Panel } from '../support/panel.mjs';
import { t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

scenario('the app in a second window takes over, and the first takes it back when asked', async (world) => {
  const bell = world.town.bell('individual');
  const { panel, apps: [first] } = await world.household(bell);
  const second = new App(await first.page.context().newPage(), first.resident);
  await second.page.goto(world.demo.told.app_url);
  await second.ready();
  await first.page.getByText(t('app-elsewhere-open')).waitFor();
  await look(first.page, 'app-other-window');
  await panel.ring(bell);
  await second.rings();
  await first.isQuiet();

  // the call moves with the connection
  await first.page.getByRole('button', { name: t('app-use-here') }).click();
  await first.rings();
  await second.page.getByText(t('app-elsewhere-open')).waitFor();
  await second.isQuiet();
  await first.seesPicture();
  await first.answer();
  await panel.talks();
});

scenario('the panel in a second window takes over, and the first takes it back when asked', async (world) => {
  const bell = world.town.bell('individual');
  const { panel: first, apps: [app] } = await world.household(bell);
  const second = new Panel(await first.page.context().newPage(), first.told);
  await second.reload();
  await second.ready();
  await first.page.getByText(t('panel-elsewhere')).waitFor();
  await look(first.page, 'panel-other-window');
  await first.page.getByRole('button', { name: t('panel-use-here') }).click();
  await second.page.getByText(t('panel-elsewhere')).waitFor();
  await first.ring(bell);
  await app.rings();
});

scenario('a device that is signed out from another one shows the sign-in at once', async (world) => {
  const { residents } = world.town.bell('individual');
  const lost = await world.app(residents[0]);
  const kept = await world.app(residents[0], 'tablet');
  await kept.page.getByRole('link', { name: t('app-tab-me') }).click();
  // the newer device lists the other one as the only one that can be signed out
  await kept.page.getByRole('list').getByRole('button', { name: new RegExp(`^${t('app-sign-out')}`) }).click();
  await kept.page.getByRole('dialog').getByRole('button', { name: t('app-sign-out'), exact: true }).click();
  await lost.page.getByText(t('app-signed-out-elsewhere')).waitFor();
  await lost.page.getByRole('button', { name: t('app-sign-in'), exact: true }).waitFor();
});

scenario('a panel whose place was given to another asks to be paired', async (world) => {
  const bell = world.town.bell('individual');
  const old = await world.panel(bell);
  const replacement = new Panel(await world.page('panel'), bell.panel);
  await replacement.open();
  await old.page.getByText(/\d{4} \d{4}/).waitFor();
  const app = await world.app(bell.residents[0]);
  await replacement.ring(bell);
  await app.rings();
  await replacement.cancel();
});

scenario('a page of another version loads itself again, once, and then says so', async (world) => {
  const app = await world.app(world.town.bell('individual').residents[0]);
  let connections = 0;
  await app.page.routeWebSocket(/\/api\/v1\/app\/socket/, (socket) => {
    connections += 1;
    void socket.close({ code: 4004 });
  });
  await app.reload();
  await app.page.getByText(t('app-new-version')).waitFor();
  if (connections !== 2) throw new Error(`connected ${connections} times, not twice`);
});
