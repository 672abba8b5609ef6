import pino from 'pino';
import { createKeystoneValidator, type KeystoneValidator } from '../../driver/clouds/keystone/http';
import { buildLogin } from '../../driver/clouds/keystone/http/credentials';
import { configFromText } from '../../driver/config/config';
import { issueToken } from '../support/simulators/keystone';
import { keystoneSettings } from '../support/simulators/keystoneSettings';
import { answerWith, type KeystoneSite, startKeystone } from '../support/simulators/keystoneSite';
import { waitUntil } from '../support/wait';

const START = Date.parse('2026-01-01T00:00:00Z');
const REFUSED = answerWith(401, '{"error": {"code": 401, "title": "Unauthorized", "message": "wrong password"}}');

describe('the login of this service', () => {
  const clock = { now: new Date(START) };
  const lines: string[] = [];
  let site: KeystoneSite;
  let validator: KeystoneValidator;

  beforeEach(async () => {
    clock.now = new Date(START);
    lines.length = 0;
    const now = () => clock.now;
    site = await startKeystone({ keystone: { now, tokenLifetime: 3600 } });
    const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
    validator = createKeystoneValidator(keystoneSettings(site.url), { log, now });
  });
  afterEach(async () => {
    await validator.close();
    await site.stop();
  });

  const pass = (seconds: number): void => {
    clock.now = new Date(START + seconds * 1000);
  };
  const aToken = () => issueToken(site.keystone, 'member', 'demo');

  it('happens once for many callers, and serves until its token is about to end', async () => {
    await Promise.all(Array.from({ length: 20 }, () => validator.validate(aToken())));
    pass(3500);
    await validator.validate(aToken());
    expect(site.logins()).toHaveLength(1);
    expect(await validator.session.userId()).toBe(
      site.keystone.directory.users.find(({ name }) => name === 'slipstream')?.id,
    );
  });

  it('is renewed before its token ends, and nobody waits for that', async () => {
    const first = await validator.session.token();
    pass(3550);

    expect(await validator.session.token()).toBe(first);
    await waitUntil('the token is another one', 5_000, async () => (await validator.session.token()) !== first);
    expect(site.logins()).toHaveLength(2);
  });

  it('goes on with its token while it cannot be renewed', async () => {
    const first = await validator.session.token();
    pass(3550);
    site.trouble = REFUSED;

    for (const _ of [1, 2, 3]) expect(await validator.session.token()).toBe(first);
    await waitUntil('the refusal is in the log', 5_000, () => lines.some((line) => line.includes('wrong password')));
    pass(3600);
    await expect(validator.session.token()).rejects.toMatchObject({ name: 'UnavailableError' });
  });

  it('is made anew, once, when Keystone knows its token no more', async () => {
    await validator.validate(aToken());
    await site.stop();
    await site.restart();
    const tokens = Array.from({ length: 10 }, aToken);

    const all = await Promise.all(tokens.map((token) => validator.validate(token)));
    expect(all.every((valid) => valid?.identity.roles.includes('member'))).toBe(true);
    expect(site.logins()).toHaveLength(2);
  });

  it('does not repeat a refused login at each request, and goes on once the password is right', async () => {
    site.trouble = (req, res) => (req.method === 'POST' ? REFUSED(req, res) : undefined);
    const answers = await Promise.allSettled(Array.from({ length: 50 }, () => validator.validate('t')));
    for (const _ of [1, 2, 3]) await expect(validator.validate('t')).rejects.toMatchObject({ status: 503 });

    expect(answers.every(({ status }) => status === 'rejected')).toBe(true);
    // One more may have been due by now.
    expect(site.logins().length).toBeLessThanOrEqual(2);
    expect(lines.filter((line) => line.includes('wrong password'))[0]).toContain('"level":50');

    site.trouble = undefined;
    const token = aToken();
    await waitUntil('the login is tried again', 15_000, () =>
      validator.validate(token).then(
        (valid) => valid !== undefined,
        () => false,
      ),
    );
  });

  it('gives up when Keystone refuses the token it has just given', async () => {
    await validator.session.token();
    site.trouble = (req, res) => (req.headers['x-subject-token'] ? REFUSED(req, res) : undefined);

    await expect(validator.validate('t')).rejects.toMatchObject({ status: 503 });
    expect([site.logins().length, site.questions().length]).toEqual([2, 2]);
  });
});

describe('the login of this service in another project', () => {
  let site: KeystoneSite;
  let validator: KeystoneValidator;
  beforeEach(async () => {
    site = await startKeystone();
    validator = createKeystoneValidator(keystoneSettings(site.url), { log: pino({ level: 'silent' }) });
  });
  afterEach(async () => {
    await validator.close();
    await site.stop();
  });

  const idOf = (project: string) => site.keystone.directory.projects.find(({ name }) => name === project)?.id ?? '';

  it('is one for each project, beside its own', async () => {
    const there = validator.session.inProject(idOf('service'));
    const [own, token] = [await validator.session.token(), await there.token()];
    await validator.session.inProject(idOf('service')).token();

    expect(token).not.toBe(own);
    expect((await validator.validate(token))?.identity.projectId).toBe(idOf('service'));
    expect(site.logins()).toHaveLength(2);
  });

  it('is refused, in words that say what is missing, where it has no role; its own goes on', async () => {
    const there = validator.session.inProject(idOf('demo'));
    const refusal = {
      name: 'NoRoleError',
      status: 403,
      message: expect.stringContaining(`does not let this service into project ${idOf('demo')}: its user needs a role`),
    };

    await expect(there.token()).rejects.toMatchObject(refusal);
    // Keystone is not asked at once again.
    await expect(there.token()).rejects.toMatchObject(refusal);
    await expect(there.endpoint({ type: 'network', interface: 'public', region: null })).rejects.toMatchObject(refusal);

    expect(site.logins()).toHaveLength(1);
    expect(await validator.session.token()).toEqual(expect.any(String));
  });
});

describe('the body of the login', () => {
  const build = (...lines: string[]) => {
    const { service_auth: credentials } = configFromText(['[service_auth]', ...lines, ''].join('\n'));
    return buildLogin(credentials, 'service_auth').auth;
  };
  const user = { name: 'u', domain: { name: 'Default' }, password: 'pw' };
  const byPassword = { methods: ['password'], password: { user } };

  it.each<[string, string[], object]>([
    [
      'names',
      ['project_name = p', 'user_domain_name = X', 'project_domain_name = Y'],
      {
        identity: { methods: ['password'], password: { user: { ...user, domain: { name: 'X' } } } },
        scope: { project: { name: 'p', domain: { name: 'Y' } } },
      },
    ],
    [
      'ids of domains, which go before their names',
      ['project_name = p', 'user_domain_id = default', 'project_domain_id = d2'],
      {
        identity: { methods: ['password'], password: { user: { ...user, domain: { id: 'default' } } } },
        scope: { project: { name: 'p', domain: { id: 'd2' } } },
      },
    ],
    [
      'ids of user and project',
      ['user_id = 17', 'project_id = 18', 'auth_type = v3password'],
      {
        identity: { methods: ['password'], password: { user: { id: '17', password: 'pw' } } },
        scope: { project: { id: '18' } },
      },
    ],
    ['the system', ['system_scope = all'], { identity: byPassword, scope: { system: { all: true } } }],
    ['a domain', ['domain_name = X'], { identity: byPassword, scope: { domain: { name: 'X' } } }],
    ['a domain’s id', ['domain_id = x'], { identity: byPassword, scope: { domain: { id: 'x' } } }],
    ['a trust', ['trust_id = t'], { identity: byPassword, scope: { 'OS-TRUST:trust': { id: 't' } } }],
  ])('tells %s', (_what, lines, auth) => {
    expect(build('username = u', 'password = pw', ...lines)).toEqual(auth);
  });

  it.each<[string, string[], object]>([
    ['id', ['application_credential_id = a'], { id: 'a', secret: 's' }],
    [
      'name and user',
      ['application_credential_name = n', 'username = u'],
      { name: 'n', user: { name: 'u', domain: { name: 'Default' } }, secret: 's' },
    ],
  ])('tells an application credential by its %s', (_what, lines, credential) => {
    const auth = build('auth_type = v3applicationcredential', 'application_credential_secret = s', ...lines);

    expect(auth).toEqual({
      identity: { methods: ['application_credential'], application_credential: credential },
    });
  });

  it.each([
    [['username = u', 'password = pw'], 'project_name'],
    [['username = u', 'project_name = p'], 'password'],
    [['password = pw', 'project_name = p'], 'username'],
    [['auth_type = v3applicationcredential', 'application_credential_id = a'], 'application_credential_secret'],
    [['auth_type = v3applicationcredential', 'application_credential_secret = s'], 'application_credential_name'],
    [['auth_type = v3oidcpassword'], 'auth_type'],
  ])('is refused where something is missing: %s', (lines, option) => {
    expect(() => build(...lines)).toThrow(`[service_auth] ${option} = `);
  });

  it('needs to know where Keystone is', () => {
    const open = (address: string) =>
      createKeystoneValidator(keystoneSettings(address), { log: pino({ level: 'silent' }) });

    for (const address of ['', 'keystone:port']) {
      expect(() => open(address)).toThrow(`[keystone_authtoken] auth_url = ${address}`);
    }
  });
});
