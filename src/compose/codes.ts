/**
 * Every code that loading a project can report, and what it means: docs/errors.md is made of this table. Closed: a new finding
 * is a new row here and a folder in fixtures/compose/errors.
 */
export const MEANINGS = {
  // files
  'file-not-found':
    'A Compose file that was asked for, on the command line or by `include` or `extends`, is not there. Without `-f` or COMPOSE_FILE, Caisson looks for `compose.yaml` in the current directory and above it.',
  'file-empty': 'A Compose file has nothing in it but comments. It needs at least `services:`.',
  'file-encoding':
    'The file is not written in UTF-8, the one encoding of Compose files. Read on, some characters would be others than those you wrote.',
  'env-file-not-found':
    'A file of variables is not there. One of `env_file` may be missing if `required: false` says so; `.env` beside the project may always be.',
  'env-file-syntax': 'A line of a file of variables cannot be read. Lines have the form `NAME=VALUE`.',
  'several-files':
    'Several files have one of the names that Caisson looks for. It takes the first one; the others have no effect.',
  'include-conflict':
    'Two included files declare a service, network, volume … of the same name, each in its own way. They are merged, and the first one wins.',
  'expansion-limit':
    'Files that include others, or services that extend others, bring more to the project than any project needs. It ends there, before the memory is full.',
  // YAML
  'yaml-syntax': 'The file breaks the rules of YAML, so that nothing in it can be trusted.',
  'yaml-indent':
    'A line starts in a column that fits none of the lines above. In YAML the indentation says what belongs to what.',
  'yaml-tab':
    'A tab stands where YAML wants spaces. A tab has no fixed width, so that it cannot say how deep a line is.',
  'yaml-quote': 'A quote or a bracket is opened and not closed, or a backslash in double quotes means nothing.',
  'yaml-character':
    'A character that nobody sees stands in the file: a control character, or a space of another kind than the one YAML knows.',
  'yaml-conflict': 'Lines that `git` leaves where a merge could not decide are still in the file.',
  'yaml-alias':
    'An alias (`*name`) or merge key (`<<`) leads to nothing, to itself, or to something that it cannot take.',
  'yaml-alias-bomb':
    'Aliases of aliases make the file thousands of times as large as it looks, which would fill the memory.',
  'yaml-tag':
    'A tag (`!name`) stands where it cannot, or means nothing. Compose knows `!reset` and `!override`; text that starts so needs quotes.',
  'key-duplicate':
    'One map has the same key twice. Which of the two is meant is anybody’s guess, so that neither counts.',
  'key-not-text': 'A key without quotes is read as a number, a date, true, false or nothing. Keys have to be text.',
  'date-unquoted': 'A value without quotes looks like a date, and YAML takes it for one. Compose wants text there.',
  // interpolation
  'variable-unset': 'A variable has no value, neither in the shell nor in `.env`. An empty text takes its place.',
  'variable-required': 'The file asks for a variable with `${NAME:?message}`, and it has no value.',
  'variable-syntax':
    '`${` starts something that is not a variable. Compose replaces variables in all values, also in commands and passwords.',
  'not-a-boolean': 'A key that is either on or off has another value than true or false.',
  'not-a-number': 'A key that takes a number has a value that is none.',
  'boolean-spelling': 'An old spelling of true or false, which later readers of YAML take for text.',
  // merge
  'merge-mismatch':
    'Two files, or a service and the one it extends, give one key values of different form, such as a list and a map. There is no rule to merge these.',
  // schema
  'key-unknown':
    'A key that Compose does not know at this place. It is mostly misspelt, or stands one level too high or too deep.',
  'key-missing': 'A key that is needed at this place is not there.',
  'name-invalid': 'The name of a service, network, volume … has a character that such names cannot have.',
  'type-wrong': 'A value has another form than its key takes: text for a list, a list for a map, a number for text …',
  'value-not-allowed': 'A value has the right form, but is not among those that its key takes.',
  'value-twice': 'A list of different things has one of them twice.',
  'version-obsolete': '`version:` had a meaning for docker-compose 1. It has none now.',
  'extension-unknown': 'Keys that start with `x-caisson-` are for Caisson, and it does not know this one.',
  'not-supported-yet':
    'A file is named that would have to be fetched from elsewhere. What it says cannot be known, and so the project is not whole.',
  // values
  'port-invalid': 'A port is not of the form `[[ADDRESS:]PUBLISHED:]TARGET[/PROTOCOL]`.',
  'volume-invalid': 'A mount is not of the form `[SOURCE:]TARGET[:OPTIONS]`.',
  'option-unknown': 'A mount has an option behind its second colon that Compose does not know. It has no effect.',
  'size-invalid': 'A size is not a number with a unit, such as `512m` or `1.5g`.',
  'duration-invalid': 'A time is not a row of numbers with units, such as `30s` or `1m30s`.',
  'mode-invalid': 'The permissions of a file are not an octal number such as `"0440"`.',
  'address-invalid': 'A value has to be an IP address or a range of them, and is none.',
  'command-invalid': 'A command in one line cannot be split into words, because a quote in it is not closed.',
  'command-cut':
    'A command in one line has a character that only a shell understands. No shell reads it, and Compose drops the rest of the line.',
  'host-invalid': 'A line of `extra_hosts` is not of the form `HOST=ADDRESS`.',
  'device-invalid': 'A device is not of the form `SOURCE[:TARGET[:PERMISSIONS]]`.',
  'external-name': '`external: {name: …}` is an old form.',
  'project-name': 'The name of the project has characters that it cannot have, or there is none.',
  // consistency
  conflict: 'Two keys say different things about one thing, or exclude each other.',
  'image-missing': 'A service says neither which image it runs nor how to build one.',
  'reference-undefined': 'A name leads to nothing: no service, network, volume, secret or config is declared under it.',
  'service-disabled': 'A service needs another one that is switched off by its profiles.',
  'service-unknown': 'A service was named on the command line, and the files have none of that name.',
  'profile-unknown': 'A profile was asked for that no service has, but one is called nearly the same.',
  cycle:
    'Services need each other in a circle, so that none of them can start first; or they extend each other, or files include each other, without an end.',
  'name-taken': 'Two services want one name for their containers.',
  'target-taken': 'Two mounts of one service have the same target. One would hide the other.',
} as const satisfies Readonly<Record<string, string>>

export type Code = keyof typeof MEANINGS
