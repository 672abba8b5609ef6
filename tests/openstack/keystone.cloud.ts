import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { createKeystoneValidator } from '../../driver/clouds/keystone/http';
import { describeTokenValidator, type Scope, type TokenOwner, type TokenTwin } from '../contracts/tokenValidatorSuite';
import { keystoneSettings } from '../support/simulators/keystoneSettings';
import { logIn, type Session } from './clients/session';
import { type Lab, readLab } from './lab';

/** The contract of the token validator, as the real Keystone keeps it. What ends by the clock is shown on its twins. */
const PASSWORD = randomBytes(12).toString('hex');
const KEYSTONE = 'identity';
let lab: Lab;
let admin: Session;
let member: TokenOwner & { readonly projectId: string };
let manager: TokenOwner;

beforeAll(async () => {
  lab = readLab();
  admin = await logIn(lab.person('admin', 'admin'));
  const projectId = lab.cloud.demo_project_id;
  member = { ...(await addUser('member')), projectId };
  manager = await addUser('manager');
  await grant(member.userId, 'member', `/projects/${projectId}`);
  await grant(member.userId, 'load-balancer_member', `/projects/${projectId}`);
  await grant(manager.userId, 'admin', '/domains/default');
  await grant(manager.userId, 'admin', '/system');
});
afterAll(async () => {
  for (const user of [member, manager]) if (user) await admin.ask(KEYSTONE, 'DELETE', `/users/${user.userId}`);
});

/** A user of these tests alone: what is taken from it ends nobody else's tokens. */
async function addUser(what: string): Promise<TokenOwner> {
  const user = { name: `contract-${what}-${randomBytes(3).toString('hex')}`, password: PASSWORD, domain_id: 'default' };
  const { id: userId } = (await admin.ask(KEYSTONE, 'POST', '/users', { user })).user;
  return { userId, login: (scope) => requestToken(userId, scope) };
}

async function grant(userId: string, role: string, where: string): Promise<void> {
  const [{ id }] = (await admin.ask(KEYSTONE, 'GET', `/roles?name=${role}`)).roles;
  await admin.ask(KEYSTONE, 'PUT', `${where}/users/${userId}/roles/${id}`);
}

async function requestToken(id: string, wanted: Scope): Promise<string> {
  const scope = 'project' in wanted ? { project: { name: wanted.project, domain: { id: 'default' } } } : wanted;
  const answer = await fetch(`${lab.authUrl}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      auth: { identity: { methods: ['password'], password: { user: { id, password: PASSWORD } } }, scope },
    }),
  });
  const token = answer.headers.get('x-subject-token');
  if (token === null) throw new Error(`Keystone gave no token: ${answer.status} ${await answer.text()}`);
  return token;
}

async function revoke(token: string): Promise<void> {
  const headers = { 'x-auth-token': admin.token, 'x-subject-token': token };
  const { status } = await fetch(`${lab.authUrl}/auth/tokens`, { method: 'DELETE', headers });
  if (status !== 204) throw new Error(`the token was not revoked: ${status}`);
}

const TWIN: TokenTwin = {
  name: 'Keystone',
  open: async () => {
    const { username, password, projectName } = lab.person('octavia', 'service');
    const settings = { ...keystoneSettings(lab.authUrl), username, password, project_name: projectName };
    const validator = createKeystoneValidator(settings, { log: pino({ level: 'silent' }) });
    return { validator, member, admin: manager, revoke, close: () => validator.close() };
  },
};

describeTokenValidator(TWIN);
