"""A small vocabulary trained by SentencePiece with the settings of Llama's, and what SentencePiece makes of some texts.

usage: sentence_piece.py FOLDER     writes fixtures/sentence_piece"""
import io, json, os, shutil, sys
import sentencepiece

SENTENCES = [
    "A chat between a curious user and an artificial intelligence assistant.", "USER: What is this? ASSISTANT: a red wooden chair with four legs",
    "This is a 3D model of a table.", "What is this for?\nIs it broken?", "two blue cups and they're standing on the table; a man's hat!", "  for i in range(10):\n    print(i)",
]
TEXTS = [
    "What is this?", " two  spaces", "", "caf\u00e9 \u6905\u5b50 \U0001fa91", "a\nb\tc", "\nWhat is it?", "1234.5", "the table's red chairs, aren't they?", "aaaaaaaaaaaa", "   ",
    "assistantassistant", "\u2581odd\u2581", "e\u0301",
]

if __name__ == "__main__":
    root = sys.argv[1]
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 3), model_writer=model, model_type="bpe", vocab_size=420, byte_fallback=True, normalization_rule_name="identity",
        add_dummy_prefix=True, remove_extra_whitespaces=False, split_digits=True, allow_whitespace_only_pieces=True, unk_surface=" \u2047 ", minloglevel=2,
    )
    with open(f"{root}/tokenizer.model", "wb") as file:
        file.write(model.getvalue())
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    with open(f"{root}/added_tokens.json", "w") as file:
        json.dump({"<point_patch>": len(pieces), "<point_start>": len(pieces) + 1}, file)
    encoded = [[text, pieces.encode(text)] for text in TEXTS]
    with open(f"{root}/expected.json", "w") as file:
        json.dump(dict(size=len(pieces), start=pieces.bos_id(), encoded=encoded, decoded=[[ids, pieces.decode(ids)] for _, ids in encoded]), file, ensure_ascii=False)
    print(len(pieces), encoded[:3])
