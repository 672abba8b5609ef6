import pino from 'pino';
import { checkContrail } from '../../driver/cli/contrailStart';
import { openDrivers } from '../../driver/cli/drivers';
import { createContrailDriver } from '../../driver/clouds/contrail/http';
import { openVncService } from '../../driver/clouds/contrail/service';
import { ConfigError, configFromText } from '../../driver/config/config';
import { FIXED_TOKENS, startContrailSimulator } from '../support/simulators/contrail';

const log = pino({ level: 'silent' });
const CONTRAIL = `[controller_worker]
network_driver = contrail
compute_driver = noop
[keystone_authtoken]
auth_url = http://127.0.0.1:9/v3
username = slipstream
password = secret
project_name = service
`;

const check = async (text: string, token?: string): Promise<void> => {
  const contrail = await startContrailSimulator({ auth: token === undefined ? 'none' : 'rbac' });
  const session = token === undefined ? {} : { session: { token: async () => token } };
  const service = openVncService({ servers: [contrail.url], log, ...session });
  try {
    const config = configFromText(`${CONTRAIL}${text}`);
    await checkContrail(createContrailDriver({ service, role: 'admin' }), config, log);
  } finally {
    await service.close();
    await contrail.close();
  }
};

it('starts where Contrail lets it do its work', async () => {
  await expect(check('')).resolves.toBeUndefined();
});

it('names the role that the service lacks', async () => {
  await expect(check('', FIXED_TOKENS.demo)).rejects.toThrow(/network_driver = contrail: .*"admin"/);
});

it('refuses an AS for engines that is the cloud’s', async () => {
  await expect(check('[contrail]\nbgp_local_as = 64512\n')).rejects.toThrow(/bgp_local_as = 64512/);
});

it('is not held up by a Contrail that is away', async () => {
  const service = openVncService({ servers: ['http://127.0.0.1:9'], log });
  const config = configFromText(CONTRAIL);
  await expect(checkContrail(createContrailDriver({ service, role: 'admin' }), config, log)).resolves.toBeUndefined();
  await service.close();
});

it('is refused in the mode without an admin, with the name of the role', () => {
  const config = configFromText(`${CONTRAIL}[service_engine]\ntenancy_mode = single\n`);
  expect(() => openDrivers(config, log)).toThrow(ConfigError);
  expect(() => openDrivers(config, log)).toThrow(/"admin"/);
});

it('takes times of sessions that fit together alone', () => {
  const config = configFromText(`${CONTRAIL}[contrail]\nbgp_keepalive = 9\nbgp_hold = 9\n`);
  expect(() => openDrivers(config, log)).toThrow(/bgp_keepalive = 9/);
});

it('opens both drivers: ports in Neutron, wiring in Contrail', async () => {
  const config = configFromText(CONTRAIL);
  const { drivers, close } = openDrivers(config, log);
  expect(drivers.network.acceptsAnything).toBe(false);
  expect(drivers.vnc).toBeDefined();
  await close();
});
