// `caisson cp`: one side of a copy. argv: copy, VERB (stat | pack | unpack), KIND and PLACE (see place.h), PATH in that root,
// NAME of the top entry (pack), FLAGS (f: follow PATH itself; o: keep owners and set-id bits), and what KIND wants.
// fd 0 or 1: the archive. fd 3: one JSON object that says what became of it.
#pragma once

namespace caisson {

int copy_main(int argc, char** argv);

}  // namespace caisson
