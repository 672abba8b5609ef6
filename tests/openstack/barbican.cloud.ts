import type { CallerAccess } from '../../driver/clouds/certificates/port';
import { describeSecretStore, type SecretTwin } from '../contracts/certificatesSuite';
import { openSecretSite } from '../support/simulators/secretSite';
import { logIn, type Session } from './clients/session';
import { type Lab, readLab } from './lab';

/** The contract of the certificates' store, as the real Barbican keeps it. */
const KEYS = 'key-manager';
let lab: Lab;
let demo: Session;

beforeAll(async () => {
  lab = readLab();
  demo = await logIn(lab.person('demo', 'demo'));
});

/** Somebody of the lab, as the API hands callers on. */
async function caller(username: string, project: string): Promise<CallerAccess> {
  const { token, userId, projectId } = await logIn(lab.person(username, project));
  const identity = { userId, projectId, domainId: null, systemScope: null, roles: ['creator'], isAdmin: false };
  return { token, identity };
}

/** References of everything that a collection of Barbican's holds for the project. */
async function list(collection: 'secrets' | 'containers', key: string): Promise<string[]> {
  const answer = await demo.ask(KEYS, 'GET', `/v1/${collection}?limit=100`);
  return answer[collection].map((each: Record<string, string>) => each[key] ?? '');
}

const BARBICAN: SecretTwin = {
  name: 'Barbican',
  open: async () => {
    const [secrets, containers] = [await list('secrets', 'secret_ref'), await list('containers', 'container_ref')];
    const [member, stranger] = [await caller('demo', 'demo'), await caller('admin', 'admin')];
    const service = await caller('octavia', 'service');
    const site = openSecretSite(demo.endpoint(KEYS).replace(/\/v1$/, ''), { member, stranger, service });
    const remove = async (refs: readonly string[], before: readonly string[]): Promise<void> => {
      for (const ref of refs.filter((each) => !before.includes(each))) {
        await demo.ask(KEYS, 'DELETE', new URL(ref).pathname);
      }
    };
    return {
      ...site,
      async close() {
        await remove(await list('containers', 'container_ref'), containers);
        await remove(await list('secrets', 'secret_ref'), secrets);
        await site.close();
      },
    };
  },
};

describeSecretStore(BARBICAN);
