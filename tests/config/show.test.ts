import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configFromText, showConfig } from '../../driver/config/config';
import { documentConfig } from '../../driver/config/document';
import { hidePassword } from '../../driver/config/options';

it('shows what is in force in a form that reads back as the same configuration', () => {
  const config = configFromText(
    '[api_settings]\nbind_port = 1\nenabled_provider_drivers = x:Some, slipstream:Other\n[networking]\nvalid_vip_networks = a, b\n',
  );

  expect(configFromText(showConfig(config))).toEqual(config);
});

it('hides secrets, and passwords in URLs', () => {
  const shown = showConfig(
    configFromText(
      '[database]\nconnection = mysql+pymysql://octavia:hunter2@db/octavia?charset=utf8\n[service_auth]\npassword = hunter3\n',
    ),
  );

  expect(shown).toContain('connection = mysql+pymysql://octavia:***@db/octavia?charset=utf8');
  expect(shown).toContain('password = ***');
  expect(shown).not.toMatch(/hunter/);
});

it.each([
  ['rabbit://u:p@h1:5672,u2:p2@h2:5672/v', 'rabbit://u:***@h1:5672,u2:***@h2:5672/v'],
  ['mysql://u@h:3306/d', 'mysql://u@h:3306/d'],
  ['mysql://h:3306/d', 'mysql://h:3306/d'],
  ['mysql://u:a:b@h/d', 'mysql://u:***@h/d'],
  ['sqlite:///var/a.db', 'sqlite:///var/a.db'],
])('hides the passwords of %s', (url, shown) => {
  expect(hidePassword(url)).toBe(shown);
});

it('is documented: docs/configuration.md is what the schemas say (npm run generate)', () => {
  expect(readFileSync(join(__dirname, '../../docs/configuration.md'), 'utf8')).toBe(documentConfig());
});
