import { describeRows } from './describeRows';
import { batchRows } from './rows/batch';
import { memberRows } from './rows/member';

describeRows('members', [...memberRows, ...batchRows], { vipCidr: '127.112.0.0/24' });
