// Mails as the demo keeps them, one file each.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Python's own mail package reads a mail, as the reader's program would. */
export async function mail(file) {
  const script = `
import email, email.policy, json, sys
m = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
print(json.dumps({'to': m['to'], 'subject': m['subject'], 'text': m.get_body(('plain',)).get_content(), 'html': m.get_body(('html',)).get_content()}))`;
  const { stdout } = await promisify(execFile)('python3', ['-c', script, file]);
  return JSON.parse(stdout);
}
