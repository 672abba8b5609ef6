import type { NetworkDriver } from '../../driver/clouds/network/port';
import { SEED_IDS } from '../../driver/clouds/network/seed';
import type { Db } from '../../driver/db/connect';
import { engineGroupDescription } from '../../driver/domain/engine';
import { findLeftoverSecurityGroups } from '../../driver/fleet/leftoverSecurityGroups';
import { openTestDatabase } from '../support/database';
import { addEngine, addGroup } from '../support/fleetRows';
import { aNetworkCloud } from '../support/simulators/network';

let db: Db;
let network: NetworkDriver;
let groupId: string;
beforeEach(async () => {
  db = await openTestDatabase();
  network = (await aNetworkCloud('service')).driver;
  groupId = await addGroup(db);
});
afterEach(() => db.destroy());

const make = (description: string, tag = 'ours') =>
  network.createSecurityGroup({ name: 'group', description, projectId: 'service', tags: [tag] });
const find = async () =>
  (await findLeftoverSecurityGroups({ db, network, ownerTag: 'ours' })).map(({ group }) => group.id);

it('finds the group of a service engine group without engines, and leaves it alone while there are some', async () => {
  const { id } = await make(engineGroupDescription('ours', groupId));
  expect(await find()).toEqual([id]);
  await addEngine(db, groupId);
  expect(await find()).toEqual([]);
});

it('finds the second of two, and that only when no port has it', async () => {
  await addEngine(db, groupId);
  const made = [
    await make(engineGroupDescription('ours', groupId)),
    await make(engineGroupDescription('ours', groupId)),
  ];
  const [, second = ''] = made.map(({ id }) => id).sort();
  expect(await find()).toEqual([second]);
  const port = { name: '', projectId: 'service', networkId: SEED_IDS.localNetwork, fixedIps: [], deviceId: '' };
  await network.createPort({ ...port, deviceOwner: '', adminStateUp: true, securityGroupIds: [second] });
  expect(await find()).toEqual([]);
});

it('never finds what a user made, whatever it is called, nor what is of another installation', async () => {
  await make('clients of the shop');
  await make(engineGroupDescription('ours', groupId), 'theirs');
  await make(engineGroupDescription('theirs', groupId));
  expect(await find()).toEqual([]);
});
