"""The reference model: what the documentation promises, as a small program, and sequences of operations that hold a
server to it.

    operations     what a client does, as data: JSON, in words, as a request; and what a kind of sequence is
    rules          what an answer must be: values, and rules for what no model can know (uuids, times, likeness)
    carrying       carries a sequence out, and compares every answer with what the model expects
    searching      draws sequences (with Hypothesis, imported when the first is drawn) until one fails
    shrinking      makes what fails shorter
    kept           a sequence that failed, as a file and in words
    comparing      the same sequence on two servers
    values         texts, ids and metadata that are nasty by design; drawing draws them
    zep/           Zep's memory API: its model, its operations, and three kinds of sequences

    server = Server(sender_of(client))
    outcome = carry_out(kind("memory"), operations, World(prefix, behaviours), {"zep": server})
    outcome.failure            # None, or the step at which the server differs, and how

A further kind of sequence (chats, say) is a module of its own, which nothing here imports:

- its *model*: any object that is made of a `World` and that its operations change; `everything()` gives the operations
  that look at all of it when a sequence is over;
- its *operations*: frozen dataclasses of JSON values that derive from `operations.Operation`, each with `do` (its name
  in files), `words()`, `request(model)` and `expected(model)`, which changes the model; `needs(model)` gives operations
  that must come before (to learn a uuid, say). A request names the part it goes to, so that one kind may ask several;
- an object `KIND` (or several) of `operations.Kind`, named in `operations.KINDS`.
"""
