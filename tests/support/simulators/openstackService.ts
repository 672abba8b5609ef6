import pino from 'pino';
import { type OpenstackService, openOpenstackService } from '../../../driver/clouds/openstack/service';

/** The client of a service at this address, with tokens that always hold: `token`, and `in <project>` for others. */
export function aService(name: string, address: string, timeout = 5_000): OpenstackService {
  return openOpenstackService({
    name,
    types: ['any'],
    session: {
      token: async () => 'token',
      endpoint: async () => address,
      inProject: (projectId) => ({ token: async () => `in ${projectId}`, endpoint: async () => address }),
    },
    options: { region_name: null, endpoint_type: 'public', ca_certificates_file: null, insecure: false, timeout },
    log: pino({ level: 'silent' }),
  });
}
