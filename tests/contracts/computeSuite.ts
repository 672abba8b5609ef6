import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ComputeDriver, Server, ServerRequest } from '../../driver/clouds/compute/port';

/** A driver of an installation that has no server yet. */
export interface ComputeSite {
  readonly driver: ComputeDriver;
  /** Takes away what the test has made, if that would stay. */
  close(): Promise<void>;
}

/** One implementation of the port. */
export interface ComputeTwin {
  readonly name: string;
  readonly open: () => Promise<ComputeSite>;
}

/** A real service takes a while to build a server, and to delete one. */
const PATIENCE = 150_000;
/** Milliseconds between two looks. */
const PAUSE = 200;

export const aServerRequest = (change: Partial<ServerRequest> = {}): ServerRequest => {
  const engineId = randomUUID();
  return {
    engineId,
    name: `slipstream-${engineId.slice(0, 8)}`,
    token: 't0ken',
    controllers: ['ws://127.0.0.1:5555'],
    groupId: randomUUID(),
    ...change,
  };
};

/** The driver's servers once what is asked of them holds, or as they are when patience ends. */
export async function serversOnce(
  driver: ComputeDriver,
  holds: (servers: readonly Server[]) => boolean,
): Promise<readonly Server[]> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const listed = await driver.listServers();
    if (holds(listed) || Date.now() > deadline) return listed;
    await sleep(PAUSE);
  }
}

/** What every implementation does. */
export function describeComputeDriver({ name, open }: ComputeTwin): void {
  describe(`a compute driver (${name})`, () => {
    let site: ComputeSite;
    let driver: ComputeDriver;
    beforeEach(async () => {
      site = await open();
      driver = site.driver;
    });
    afterEach(() => site.close());

    it('lists the servers it has made, each with the id of its engine', async () => {
      const [one, other] = [aServerRequest(), aServerRequest()];
      const made = [await driver.createServer(one), await driver.createServer(other)];

      const listed = await driver.listServers();

      expect(listed.map(({ id }) => id).sort()).toEqual(made.map(({ id }) => id).sort());
      for (const [index, { engineId, name }] of [one, other].entries()) {
        expect(listed).toContainEqual(expect.objectContaining({ id: made[index]?.id, engineId, name }));
      }
    });

    it('tells of a server that is up', async () => {
      const { engineId } = aServerRequest();
      await driver.createServer(aServerRequest({ engineId }));

      const [server] = await serversOnce(driver, ([made]) => made?.status === 'ACTIVE');

      expect(server).toMatchObject({ engineId, status: 'ACTIVE' });
    });

    it('deletes one server and leaves the others', async () => {
      const gone = await driver.createServer(aServerRequest());
      const stays = await driver.createServer(aServerRequest());

      await driver.deleteServer(gone.id);

      const left = await serversOnce(driver, (servers) => servers.length === 1);
      expect(left.map(({ id }) => id)).toEqual([stays.id]);
    });

    it('takes a second deletion of a server, and one of an unknown server, as done', async () => {
      const { id } = await driver.createServer(aServerRequest());

      await driver.deleteServer(id);
      await driver.deleteServer(id);
      await driver.deleteServer(randomUUID());

      expect(await serversOnce(driver, (servers) => servers.length === 0)).toEqual([]);
    });
  });
}
