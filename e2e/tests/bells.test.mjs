// The four kinds of doorbell buttons (R4).
// Runs alone: calls with a picture that moves.

import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

scenario('individual: one button rings one resident', async (world) => {
  const bell = world.town.bell('individual');
  const neighbour = world.town.bells.find((other) => other.residents.length > 0 && other.residents[0].unit !== bell.residents[0].unit);
  const { panel, apps: [app] } = await world.household(bell);
  const next = await world.app(neighbour.residents[0]);
  await panel.ring(bell);
  await app.rings();
  await app.seesPicture();
  await next.isQuiet();
});

scenario('parallel: one button rings all at once', async (world) => {
  const bell = world.town.bell('parallel', 2);
  const { panel, apps } = await world.household(bell);
  await panel.ring(bell);
  await Promise.all(apps.map((app) => app.rings()));
});

scenario('sequential: one after another, the next at once when one declines', async (world) => {
  const bell = world.town.bell('sequential', 2);
  const { panel, apps: [first, second] } = await world.household(bell);
  await panel.ring(bell);
  await first.rings();
  await first.seesPicture();
  await second.isQuiet();
  await first.decline();
  await second.rings();
  await first.isHome();
  await second.answer();
  await second.talks();
  await panel.talks();
});

scenario('sequential: one who has no device is passed over', async (world) => {
  const bell = world.town.bell('sequential', 2);
  const panel = await world.panel(bell);
  const second = await world.app(bell.residents[1]);
  await panel.ring(bell);
  await second.rings();
});

scenario('family: the button opens into its members, and one of them is rung', async (world) => {
  const bell = world.town.bell('family', 2);
  const { panel, apps } = await world.household(bell);
  await panel.ring(bell, bell.members[1]);
  await apps[1].rings();
  await apps[1].seesPicture();
  await apps[0].isQuiet();
});

scenario('family: or all of them', async (world) => {
  const bell = world.town.bell('family', 2);
  const { panel, apps } = await world.household(bell);
  await panel.ring(bell);
  await Promise.all(apps.map((app) => app.rings()));
});
