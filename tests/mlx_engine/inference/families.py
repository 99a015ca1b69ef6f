"""Families of chat templates, each with the prompts, ends and answers that its makers describe.

The templates in `templates/` are written for these tests. Each behaves as its family's: its roles and control tokens,
its switch for the thinking, its treatment of system messages and of thinking in earlier answers.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.byte_tokenizer import byte_tokenizer

CHATML = ("<|im_start|>", "<|im_end|>")
THINK = ("<think>", "</think>")


@dataclass(frozen=True)
class Family:
    """`first` is the prompt for the question "Hi" with thinking, `quick` without, `second` that of the next turn.

    `answer` is generated text, `thinking` and `shown` its parts.
    """

    name: str
    control: tuple[str, ...]
    first: str
    quick: str
    second: str
    end: str
    answer: str
    thinking: str
    shown: str
    plain: tuple[str, ...] = ()
    opens_thinking: bool = False
    has_parts: bool = False
    """The template takes content as a list of parts."""

    def tokenizer(self) -> Any:
        template = Path(__file__).with_name("templates") / f"{self.name}.jinja"
        tokenizer = byte_tokenizer(
            self.control, self.plain, template=template.read_text(encoding="utf-8").removesuffix("\n")
        )
        tokenizer.bos_token = self.control[0]
        return tokenizer


FAMILIES = (
    Family(
        "phi4_mini",
        ("<|user|>", "<|assistant|>", "<|end|>"),
        first="<|user|>Hi<|end|><|assistant|>",
        quick="<|user|>Hi<|end|><|assistant|>",
        second="<|user|>Hi<|end|><|assistant|>Yes.<|end|><|user|>Why?<|end|><|assistant|>",
        end="<|end|>",
        answer="<think>Hm.</think>Yes.",
        thinking="Hm.",
        shown="Yes.",
    ),
    Family(
        "qwen3",
        CHATML,
        plain=THINK,
        first="<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
        quick="<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
        second="<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYes.<|im_end|>\n"
        "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n",
        end="<|im_end|>",
        answer="<think>\nHm.\n</think>\n\nYes.",
        thinking="Hm.\n",
        shown="Yes.",
    ),
    Family(
        "gemma3",
        ("<bos>", "<start_of_turn>", "<end_of_turn>"),
        first="<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n",
        quick="<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n",
        second="<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nYes.<end_of_turn>\n"
        "<start_of_turn>user\nWhy?<end_of_turn>\n<start_of_turn>model\n",
        end="<end_of_turn>",
        answer="Yes.",
        thinking="",
        shown="Yes.",
    ),
    Family(
        "llama3",
        ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        first="<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        quick="<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        second="<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nYes.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        end="<|eot_id|>",
        answer="Yes.",
        thinking="",
        shown="Yes.",
    ),
    Family(
        "mistral",
        ("<s>", "</s>", "[INST]", "[/INST]"),
        first="<s>[INST] Hi[/INST]",
        quick="<s>[INST] Hi[/INST]",
        second="<s>[INST] Hi[/INST] Yes.</s>[INST] Why?[/INST]",
        end="</s>",
        answer=" Yes.",
        thinking="",
        shown=" Yes.",
    ),
    Family(
        "ministral",
        ("<s>", "</s>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[THINK]", "[/THINK]"),
        first="<s>[INST]Hi[/INST]",
        quick="<s>[INST]Hi[/INST]",
        second="<s>[INST]Hi[/INST]Yes.</s>[INST]Why?[/INST]",
        end="</s>",
        has_parts=True,
        answer="[THINK]Hm.[/THINK]Yes.",
        thinking="Hm.",
        shown="Yes.",
    ),
    Family(
        "gpt_oss",
        ("<|start|>", "<|message|>", "<|channel|>", "<|end|>", "<|return|>", "<|call|>"),
        first="<|start|>system<|message|>Reasoning: medium<|end|><|start|>user<|message|>Hi<|end|><|start|>assistant",
        quick="<|start|>system<|message|>Reasoning: low<|end|><|start|>user<|message|>Hi<|end|><|start|>assistant",
        second="<|start|>system<|message|>Reasoning: medium<|end|><|start|>user<|message|>Hi<|end|>"
        "<|start|>assistant<|channel|>final<|message|>Yes.<|end|><|start|>user<|message|>Why?<|end|><|start|>assistant",
        end="<|return|>",
        answer="<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary<|message|>So.<|end|>"
        "<|start|>assistant<|channel|>final<|message|>Yes.",
        thinking="Hm.So.",
        shown="Yes.",
    ),
    Family(
        "deepseek",
        ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"),
        plain=THINK,
        first="<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜><think>",
        quick="<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜></think>",
        second="<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜></think>Yes.<｜end▁of▁sentence｜>"
        "<｜User｜>Why?<｜Assistant｜><think>",
        end="<｜end▁of▁sentence｜>",
        opens_thinking=True,
        answer="Hm.</think>Yes.",
        thinking="Hm.",
        shown="Yes.",
    ),
    Family(
        "glm",
        ("[gMASK]", "<sop>", "<|user|>", "<|assistant|>", "<|system|>"),
        plain=THINK,
        first="[gMASK]<sop><|user|>\nHi<|assistant|>",
        quick="[gMASK]<sop><|user|>\nHi/nothink<|assistant|>\n<think></think>",
        second="[gMASK]<sop><|user|>\nHi<|assistant|>\n<think></think>\nYes.<|user|>\nWhy?<|assistant|>",
        end="",  # its files name <|user|>
        answer="\n<think>Hm.</think>\nYes.",
        thinking="Hm.",
        shown="Yes.",
    ),
    Family(
        "granite",
        ("<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>"),
        first="<|start_of_role|>system<|end_of_role|>Write your thoughts after 'Here is my thought process:' and your "
        "response after 'Here is my response:'.<|end_of_text|>\n"
        "<|start_of_role|>user<|end_of_role|>Hi<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>",
        quick="<|start_of_role|>user<|end_of_role|>Hi<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>",
        second="<|start_of_role|>system<|end_of_role|>Write your thoughts after 'Here is my thought process:' and your "
        "response after 'Here is my response:'.<|end_of_text|>\n"
        "<|start_of_role|>user<|end_of_role|>Hi<|end_of_text|>\n"
        "<|start_of_role|>assistant<|end_of_role|>Yes.<|end_of_text|>\n"
        "<|start_of_role|>user<|end_of_role|>Why?<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>",
        end="<|end_of_text|>",
        answer="Here is my thought process:\nHm.\nHere is my response:\nYes.",
        thinking="Hm.\n",
        shown="Yes.",
    ),
    Family(
        "smollm3",
        CHATML,
        plain=THINK,
        first="<|im_start|>system\nReasoning Mode: /think\n<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\n",
        quick="<|im_start|>system\nReasoning Mode: /no_think\n<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n\n</think>\n",
        second="<|im_start|>system\nReasoning Mode: /think\n<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\nYes.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n",
        end="<|im_end|>",
        answer="<think>\nHm.\n</think>\nYes.",
        thinking="Hm.\n",
        shown="Yes.",
    ),
    Family(
        "lfm2",
        ("<|startoftext|>", *CHATML),
        first="<|startoftext|><|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
        quick="<|startoftext|><|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
        second="<|startoftext|><|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYes.<|im_end|>\n"
        "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n",
        end="<|im_end|>",
        answer="<think>Hm.</think>Yes.",
        thinking="Hm.",
        shown="Yes.",
    ),
    Family(
        "olmo",
        ("<|endoftext|>", "<|user|>", "<|assistant|>"),
        first="<|endoftext|><|user|>\nHi\n<|assistant|>\n",
        quick="<|endoftext|><|user|>\nHi\n<|assistant|>\n",
        second="<|endoftext|><|user|>\nHi\n<|assistant|>\nYes.<|endoftext|>\n<|user|>\nWhy?\n<|assistant|>\n",
        end="<|endoftext|>",
        answer="Yes.",
        thinking="",
        shown="Yes.",
    ),
    Family(
        "olmo3_think",
        CHATML,
        plain=THINK,
        first="<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n<think>",
        quick="<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n<think>",
        second="<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYes.<|im_end|>\n"
        "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n<think>",
        end="<|im_end|>",
        opens_thinking=True,
        answer="Hm.</think>\n\nYes.",
        thinking="Hm.",
        shown="Yes.",
    ),
)
