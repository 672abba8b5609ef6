import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { waitUntil } from '../support/wait';
import type { Answer, Client, Endpoint } from './hosts/endpoints';
import { cutPower } from './hosts/machines';
import { type Balancer, PATIENCE, type Stage, setStage } from './hosts/stage';
import { isBack, isGood, outageOf } from './hosts/traffic';
import { type Lab, readLab } from './lab';

/** Milliseconds between the requests of a client. */
const PACE = 100;

/**
 * Traffic through engines that Nova shows and the lab's hosts run: members in another network than the VIP's, clients in
 * the VIP's network and in the external one. What was measured goes into the lab's figures-traffic.json.
 */
describe('traffic through the lab', () => {
  const figures: Record<string, number> = {};
  let lab: Lab;
  let stage: Stage;
  let first: Balancer;
  let second: Balancer;
  let floatingIp: string;

  beforeAll(async () => {
    lab = readLab();
    stage = await setStage(lab);
  }, 2 * PATIENCE);

  afterAll(async () => {
    console.info(`traffic through the lab: ${JSON.stringify(figures)}`);
    writeFileSync(path.join(lab.directory, 'figures-traffic.json'), JSON.stringify(figures, null, 2));
    await stage.dispose();
  }, 3 * PATIENCE);

  it(
    'flows from the tenant to both members once a load balancer is ACTIVE on a new engine',
    async () => {
      const began = Date.now();
      first = await stage.createBalancer('first');
      await stage.becomesActive(first);
      figures['ms from create to ACTIVE with a new engine'] = Date.now() - began;

      const answers = await flows(stage.tenant, first.vip);

      figures['ms from create to the first answer with a new engine'] = (answers.find(isGood)?.at ?? 0) - began;
      expect(await stage.engines()).toHaveLength(1);
    },
    2 * PATIENCE,
  );

  it(
    'flows from outside through a floating IP',
    async () => {
      floatingIp = await stage.giveFloatingIp(first);

      await flows(stage.outside, floatingIp);
    },
    2 * PATIENCE,
  );

  it(
    'flows through a second load balancer on the engine that is there',
    async () => {
      const began = Date.now();
      second = await stage.createBalancer('second');
      figures['ms until the create was answered'] = Date.now() - began;
      await stage.becomesActive(second);
      figures['ms from create to ACTIVE on a warm engine'] = Date.now() - began;

      await flows(stage.tenant, second.vip);

      expect(await stage.engines()).toHaveLength(1);
    },
    2 * PATIENCE,
  );

  it(
    'stops at a port that was closed, and goes on when it is open again',
    async () => {
      await stage.setOpen(second, false);
      await stopsFlowing(stage.tenant, second.vip);
      await stage.setOpen(second, true);

      await flows(stage.tenant, second.vip);
    },
    2 * PATIENCE,
  );

  it(
    'goes on by a new engine when the server of its engine is deleted',
    async () => {
      const outage = await loseEngine();

      figures['ms without answers, a new engine has to boot'] = outage.near;
      figures['ms without answers through the floating IP, a new engine has to boot'] = outage.far;
    },
    2 * PATIENCE,
  );

  it(
    'goes on by a spare engine where the group keeps one',
    async () => {
      await stage.keepSpare(1);
      await waitUntil('there is a spare engine', PATIENCE, async () => {
        return (await stage.engines()).filter(({ status }) => status === 'READY').length === 2;
      });

      const outage = await loseEngine();

      figures['ms without answers, a spare engine takes over'] = outage.near;
      figures['ms without answers through the floating IP, a spare engine takes over'] = outage.far;
    },
    3 * PATIENCE,
  );

  /** Deletes the server of the engine that serves, as the cloud's operator may; gives how long nobody was served. */
  async function loseEngine(): Promise<{ readonly near: number; readonly far: number }> {
    const lost = await stage.serverOf(first);
    const [near, far] = [stage.tenant.ask(urlOf(first.vip), PACE), stage.outside.ask(urlOf(floatingIp), PACE)];
    try {
      await waitUntil('both are answered', PATIENCE, () => [near, far].every(isBack));
      const deleted = Date.now();
      cutPower(lab, lost);
      await stage.admin.ask('compute', 'DELETE', `/servers/${lost}`);
      const fails = (client: Client) => client.answers.some((answer) => answer.at > deleted && !isGood(answer));
      await waitUntil('nobody is answered', PATIENCE, () => [near, far].every(fails));
      await waitUntil('both are answered again', PATIENCE, () => [near, far].every(isBack));
      await stage.becomesActive(first);
      expect(await stage.serverOf(first)).not.toBe(lost);
      return { near: outageOf(near, deleted), far: outageOf(far, deleted) };
    } finally {
      near.stop();
      far.stop();
    }
  }
});

/** Waits for answers of both members; gives all there were. */
async function flows(from: Endpoint, address: string): Promise<readonly Answer[]> {
  const client = from.ask(urlOf(address), PACE);
  const areBothThere = () =>
    ['member-0', 'member-1'].every((body) => client.answers.some((answer) => isGood(answer) && answer.body === body));
  await waitUntil(`both members answer through ${address}`, PATIENCE, areBothThere).finally(() => client.stop());
  return client.answers;
}

async function stopsFlowing(from: Endpoint, address: string): Promise<void> {
  const client = from.ask(urlOf(address), PACE);
  const isOut = () => client.answers.length > 5 && client.answers.slice(-5).every((answer) => !isGood(answer));
  await waitUntil(`nothing answers at ${address}`, PATIENCE, isOut).finally(() => client.stop());
}

function urlOf(address: string): string {
  return `http://${address}/`;
}
